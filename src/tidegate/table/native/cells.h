/* Reading cells: whether one is missing, a number and which, true or false, or another text. */
#ifndef TIDEGATE_CELLS_H
#define TIDEGATE_CELLS_H
#include <float.h>
#include <math.h>

#include "texts.h"

enum { INTEGRAL, FRACTIONAL, BOOLEAN, STRING, MISSING, KINDS };

typedef struct {
    int64_t kinds[KINDS], numbers;
    double *values;
    Texts numerals, others, markers;
} Column;

static const double TENS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#if LDBL_MANT_DIG == 64
static const long double LONG_TENS[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
                                        1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
                                        1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
#endif

static const uint64_t WHOLE_TENS[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};

/* The number that eight digits make, the first in the lowest byte: pairs, then fours, then all of them. */
static uint64_t eight_digits(uint64_t digits) {
    digits = digits * 10 + (digits >> 8);
    digits = (digits & 0x00FF00FF00FF00FFu) * 100 + ((digits >> 16) & 0x00FF00FF00FF00FFu);
    return (digits & 0xFFFF) * 10000 + ((digits >> 32) & 0xFFFF);
}

/* Appends the digits at p to *digits, eight at a time where so much may be read; gives the first that is none. */
static inline __attribute__((always_inline)) const char *read_digits(const char *p, const char *end, uint64_t *digits) {
    while (end - p >= 8) {
        uint64_t eight;
        memcpy(&eight, p, 8);
        eight ^= 0x3030303030303030u; /* a digit is now 0 to 9; a carry spoils only what comes after another byte */
        uint64_t others = (eight | (eight + 0x7676767676767676u)) & 0x8080808080808080u;
        if (!others) {
            *digits = *digits * 100000000 + eight_digits(eight);
            p += 8;
            continue;
        }
        int n = __builtin_ctzll(others) >> 3;
        *digits = *digits * WHOLE_TENS[n] + eight_digits(eight << (8 * (7 - n)) << 8);
        return p + n;
    }
    unsigned digit;
    for (; p < end && (digit = (unsigned char)*p - '0') < 10; p++) *digits = *digits * 10 + digit;
    return p;
}

static __attribute__((noinline)) double by_library(const char *s, const char *end) {
    char near[128], *copy = end - s < 128 ? near : malloc(end - s + 1);
    if (!copy) return INFINITY;
    memcpy(copy, s, end - s);
    copy[end - s] = 0;
    double value = strtod(copy, 0); /* Python leaves LC_NUMERIC at "C" */
    if (copy != near) free(copy);
    return value;
}

/* The double nearest to digits times a power of ten: exact where both fit a double (Clinger, How to Read
 * Floating Point Numbers Accurately, PLDI 1990); by 64-bit extended precision where its one rounding is
 * not next to a tie; else by the C library. */
static inline __attribute__((always_inline)) double nearest(uint64_t digits, int64_t power, int64_t count, const char *s, const char *end) {
    if (count <= 19) {
        if (digits <= 1ull << 53 && power >= -22 && power <= 22)
            return power < 0 ? (int64_t)digits / TENS[-power] : (int64_t)digits * TENS[power];
#if LDBL_MANT_DIG == 64
        if (power >= -27 && power <= 27) {
            long double value = power < 0 ? digits / LONG_TENS[-power] : digits * LONG_TENS[power];
            uint64_t mantissa;
            memcpy(&mantissa, &value, 8);
            uint64_t rest = mantissa & 0x7FF;
            if (rest < 0x3FF || rest > 0x401) return (double)value;
        }
#endif
    }
    return fabs(by_library(s, end));
}

/* Reads [+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?; gives its end, or 0 where none begins. */
static inline __attribute__((always_inline)) const char *read_number(const char *s, const char *end, double *value, int *whole) {
    const char *p = s + (*s == '-' || *s == '+'), *first = p;
    uint64_t digits = 0;
    int64_t power = 0, count;
    unsigned digit;
    p = read_digits(p, end, &digits);
    count = p - first;
    *whole = 1;
    if (p < end && *p == '.') {
        const char *point = ++p;
        p = read_digits(p, end, &digits);
        power = point - p;
        count -= power;
        *whole = 0;
    }
    if (!count) return 0;
    if (p < end && (*p | 32) == 'e') {
        const char *e = p + 1;
        int negative = e < end && *e == '-';
        int64_t written = 0;
        e += e < end && (*e == '-' || *e == '+');
        const char *begin = e;
        for (; e < end && (digit = (unsigned char)*e - '0') < 10; e++)
            if (written < 1000000) written = written * 10 + digit;
        if (e == begin) return 0;
        power += negative ? -written : written;
        p = e;
        *whole = 0;
    }
    double size = nearest(digits, power, count, s, p);
    *value = *s == '-' ? -size : size;
    return p;
}

static int is_word(const char *s, const char *lower, int64_t n) {
    while (n-- > 0)
        if ((s[n] >= 'A' && s[n] <= 'Z' ? s[n] | 32 : s[n]) != lower[n]) return 0;
    return 1;
}

static int is_marker(const char *s, int64_t n) { /* MARKERS of serving/texts.py, but for the empty one */
    switch (n) {
    case 1: return *s == '?';
    case 2: return is_word(s, "na", 2);
    case 3: return is_word(s, "n/a", 3) || is_word(s, "nan", 3);
    case 4: return is_word(s, "null", 4) || is_word(s, "none", 4);
    default: return 0;
    }
}

/* 4.0 is a whole number; a double without room for a fraction is one too. */
static int is_whole(double value) {
    return fabs(value) >= 4503599627370496.0 || (double)(int64_t)value == value;
}

/* Here and below, bytes from s up to end may be read; n of them are the cell. */
static inline __attribute__((always_inline)) int count_number(Column *c, const char *s, int64_t n, const char *end, double value, int whole) {
    if (!isfinite(value)) return c->kinds[STRING]++, count_text(&c->others, s, n, end);
    c->kinds[whole || is_whole(value) ? INTEGRAL : FRACTIONAL]++;
    c->values[c->numbers++] = value;
    return count_text(&c->numerals, s, n, end);
}

static int is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static int count_cell(Column *c, const char *s, int64_t n, const char *end) {
    while (n && is_space(*s)) s++, n--;
    while (n && is_space(s[n - 1])) n--;
    if (!n) return c->kinds[MISSING]++, 1;
    if (is_marker(s, n)) return count_text(&c->markers, s, n, end); /* what it means, the whole column tells */
    double value;
    int whole;
    if (*s <= '9' && read_number(s, s + n, &value, &whole) == s + n)
        return count_number(c, s, n, end, value, whole);
    const char *word = n == 4 && is_word(s, "true", 4) ? "true" : n == 5 && is_word(s, "false", 5) ? "false" : 0;
    if (word) return c->kinds[BOOLEAN]++, count_text(&c->others, word, n, word + n);
    c->kinds[STRING]++;
    return count_text(&c->others, s, n, end);
}

#endif
