/* Sorting numbers and hashes by their digits. NumPy's sort by AVX-512 takes six times its time on processors that
 * compress into memory slowly (AMD's Zen 4); this one takes about as long on every make. */
#ifndef TIDEGATE_SORTING_H
#define TIDEGATE_SORTING_H
#include <stdint.h>
#include <string.h>

/* Six digits of eleven bits hold sixty-four; the upper three tell most keys apart. */
enum { DIGIT_BITS = 11, DIGITS = 6, UPPER = 3, FACES = 1 << DIGIT_BITS };

#define SIGN (UINT64_C(1) << 63)

/* The order of doubles as that of whole numbers: negative ones turn round, the others go above them. -0.0 is 0.0. */
static uint64_t key_of(uint64_t bits) {
    if (bits == SIGN) bits = 0;
    return bits & SIGN ? ~bits : bits | SIGN;
}

static uint64_t bits_of(uint64_t key) { return key & SIGN ? key & ~SIGN : ~key; }

/* Orders `count` keys in `now` by some of their digits, from the least to the most, each pass keeping the order of
 * the one before; `other` holds as many. A digit that is the same in all is left out. Gives where the keys are. */
static uint64_t *by_digits(uint64_t *now, uint64_t *other, int64_t count, int lowest, int digits) {
    int32_t faces[DIGITS][FACES];
    memset(faces, 0, sizeof faces[0] * digits);
    for (int64_t at = 0; at < count; at++)
        for (int digit = 0; digit < digits; digit++) faces[digit][(now[at] >> (lowest + digit * DIGIT_BITS)) & (FACES - 1)]++;
    for (int digit = 0; digit < digits; digit++) {
        int32_t *places = faces[digit], sum = 0;
        const int shift = lowest + digit * DIGIT_BITS;
        if (places[(now[0] >> shift) & (FACES - 1)] == count) continue;
        for (int face = 0; face < FACES; face++) {
            int32_t many = places[face];
            places[face] = sum, sum += many;
        }
        for (int64_t at = 0; at < count; at++) other[places[(now[at] >> shift) & (FACES - 1)]++] = now[at];
        uint64_t *last = now;
        now = other, other = last;
    }
    return now;
}

/* Puts each key that its upper digits left behind a greater one before it; 0 where that is too much work. */
static int in_place(uint64_t *keys, int64_t count) {
    int64_t moves = 4 * count;
    for (int64_t at = 1; at < count; at++) {
        uint64_t key = keys[at];
        int64_t to = at;
        for (; to > 0 && keys[to - 1] > key; to--, moves--) keys[to] = keys[to - 1];
        keys[to] = key;
        if (moves < 0) return 0;
    }
    return 1;
}

/* Sorts `count` doubles (or, where they are no numbers, words without a sign) from `from` into `to`; `room` holds
 * as many. Most keys differ in the three digits below the first bit in which any two differ; where they do not,
 * all six digits are gone through. At most 2^31 - 1 of them. */
void tg_sort(const uint64_t *from, int64_t count, int32_t numbers, uint64_t *to, uint64_t *room) {
    if (!count) return;
    uint64_t least = UINT64_MAX, most = 0;
    for (int64_t at = 0; at < count; at++) {
        uint64_t key = numbers ? key_of(from[at]) : from[at];
        least = key < least ? key : least, most = key > most ? key : most;
        room[at] = key;
    }
    int bits = least == most ? 0 : 64 - __builtin_clzll(least ^ most);
    int lowest = bits > UPPER * DIGIT_BITS ? bits - UPPER * DIGIT_BITS : 0;
    uint64_t *now = by_digits(room, to, count, lowest, UPPER);
    if (lowest && !in_place(now, count)) now = by_digits(now, now == to ? room : to, count, 0, DIGITS);
    for (int64_t at = 0; at < count; at++) to[at] = numbers ? bits_of(now[at]) : now[at];
}
#endif
