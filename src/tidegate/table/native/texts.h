/* Counting texts: how often each occurs, in a hash table over a list in order of appearance. */
#ifndef TIDEGATE_TEXTS_H
#define TIDEGATE_TEXTS_H
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "texts are hashed as little-endian words"
#endif
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t hash;
    int64_t count;
    const char *text; /* in the block, or in the reader's scratch */
    int64_t length;
} Entry;

typedef struct { /* texts with their counts: an open hash table over a list in order of appearance */
    int32_t *slots;
    Entry *entries;
    int32_t mask, used, room, limit, full; /* full: more than limit; counting was given up */
} Texts;

static uint64_t word(const char *s, int64_t n, const char *end) { /* up to 8 bytes, padded with zeros */
    uint64_t value = 0;
    if (end - s >= 8) { /* what may be read is more than what counts: no branch on the length */
        memcpy(&value, s, 8);
        value &= ~0ull >> (n < 8 ? 64 - 8 * n : 0);
    } else if (n >= 4) {
        uint32_t low, high;
        memcpy(&low, s, 4);
        memcpy(&high, s + n - 4, 4);
        value = low | (uint64_t)high << (8 * (n - 4));
    } else if (n > 0) {
        value = (uint64_t)(uint8_t)s[0] | (uint64_t)(uint8_t)s[n >> 1] << (8 * (n >> 1)) |
                (uint64_t)(uint8_t)s[n - 1] << (8 * (n - 1));
    }
    return value;
}

static uint64_t mixed(uint64_t h) { /* the finaliser of SplitMix64, as hashing.py's */
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9u;
    h = (h ^ h >> 27) * 0x94D049BB133111EBu;
    return h ^ h >> 31;
}

/* hashing.py's word_hash is the same in Python. Bytes from s up to end may be read. */
static uint64_t text_hash(const char *s, int64_t n, const char *end) {
    uint64_t h = (uint64_t)n * 0x9E3779B97F4A7C15u;
    for (; n > 0; s += 8, n -= 8) {
        h = (h ^ word(s, n, end)) * 0xD6E8FEB86659FD93u;
        h ^= h >> 32;
    }
    return mixed(h);
}

static int grow(Texts *t) {
    int32_t size = t->mask ? (t->mask + 1) * 2 : 256;
    int32_t *slots = malloc(sizeof(int32_t) * size);
    Entry *entries = realloc(t->entries, sizeof(Entry) * size / 2);
    if (entries) t->entries = entries;
    if (!slots || !entries) return free(slots), 0;
    memset(slots, -1, sizeof(int32_t) * size);
    free(t->slots);
    t->slots = slots, t->mask = size - 1, t->room = size / 2;
    for (int32_t at = 0; at < t->used; at++) {
        int32_t slot = t->entries[at].hash & t->mask;
        while (slots[slot] >= 0) slot = (slot + 1) & t->mask;
        slots[slot] = at;
    }
    return 1;
}

/* Up to 8 bytes each step of text_hash can be taken back: the same hash and length are the same text. Up to 16
 * the first and the last 8 tell. */
static int is_same(const Entry *e, uint64_t hash, const char *s, int64_t n) {
    if (e->hash != hash || e->length != n) return 0;
    if (n <= 8) return 1;
    if (n > 16) return !memcmp(e->text, s, n);
    return !memcmp(e->text, s, 8) && !memcmp(e->text + n - 8, s + n - 8, 8);
}

static int count_text(Texts *t, const char *s, int64_t n, const char *end) {
    if (t->full) return 1;
    uint64_t hash = text_hash(s, n, end);
    int32_t slot = hash & t->mask;
    for (int32_t at; t->mask && (at = t->slots[slot]) >= 0; slot = (slot + 1) & t->mask) {
        Entry *e = &t->entries[at];
        if (is_same(e, hash, s, n)) return e->count++, 1;
    }
    if (t->used == t->limit) return t->full = 1;
    if (t->used == t->room) {
        if (!grow(t)) return 0;
        for (slot = hash & t->mask; t->slots[slot] >= 0;) slot = (slot + 1) & t->mask;
    }
    t->slots[slot] = t->used;
    t->entries[t->used++] = (Entry){hash, 1, s, n};
    return 1;
}

static void forget(Texts *t) {
    if (t->mask) memset(t->slots, -1, sizeof(int32_t) * (t->mask + 1));
    t->used = t->full = 0;
}

#endif
