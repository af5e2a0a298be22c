/* Sorting numbers and hashes by their digits. NumPy's sort by AVX-512 takes six times its time on processors that
 * compress into memory slowly (AMD's Zen 4); this one takes about as long on every make. */
#ifndef TIDEGATE_SORTING_H
#define TIDEGATE_SORTING_H
#include <stdint.h>
#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 6, FACES = 1 << DIGIT_BITS }; /* six digits of eleven bits hold sixty-four */

#define SIGN (UINT64_C(1) << 63)

/* The order of doubles as that of whole numbers: negative ones turn round, the others go above them. -0.0 is 0.0. */
static uint64_t key_of(uint64_t bits) {
    if (bits == SIGN) bits = 0;
    return bits & SIGN ? ~bits : bits | SIGN;
}

static uint64_t bits_of(uint64_t key) { return key & SIGN ? key & ~SIGN : ~key; }

/* Sorts `count` doubles (or, where they are no numbers, words without a sign) from `from` into `to`; `room` holds
 * as many. From the least digit to the most, each pass keeping the order of the one before; a digit that is the
 * same in all is left out. */
void tg_sort(const uint64_t *from, int64_t count, int32_t numbers, uint64_t *to, uint64_t *room) {
    int64_t faces[DIGITS][FACES];
    memset(faces, 0, sizeof faces);
    for (int64_t at = 0; at < count; at++) {
        uint64_t key = numbers ? key_of(from[at]) : from[at];
        room[at] = key;
        for (int digit = 0; digit < DIGITS; digit++) faces[digit][(key >> digit * DIGIT_BITS) & (FACES - 1)]++;
    }
    uint64_t *now = room, *next = to;
    for (int digit = 0; digit < DIGITS && count; digit++) {
        int64_t *places = faces[digit], sum = 0;
        const int shift = digit * DIGIT_BITS;
        if (places[(now[0] >> shift) & (FACES - 1)] == count) continue;
        for (int face = 0; face < FACES; face++) {
            int64_t many = places[face];
            places[face] = sum, sum += many;
        }
        for (int64_t at = 0; at < count; at++) next[places[(now[at] >> shift) & (FACES - 1)]++] = now[at];
        uint64_t *other = now;
        now = next, next = other;
    }
    for (int64_t at = 0; at < count; at++) to[at] = numbers ? bits_of(now[at]) : now[at];
}
#endif
