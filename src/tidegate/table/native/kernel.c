/* Reads cells: what kind each is, the numbers among them, how often each text occurs. Nothing else lives here:
 * sketches and sums are NumPy's work. Built by __init__.py, which also says what happens without a compiler. */
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "texts are hashed as little-endian words"
#endif
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { INTEGRAL, FRACTIONAL, BOOLEAN, STRING, MISSING, KINDS };
enum { BAD_WIDTH = -1, OPEN_QUOTE = -2, NO_MEMORY = -3 };

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

typedef struct {
    int64_t kinds[KINDS], numbers;
    double *values;
    Texts numerals, others;
} Column;

typedef struct {
    int32_t width;
    Column *columns;
    char **scratch; /* unescaped quoted cells; freed with the next block */
    int64_t kept, room;
} Reader;

/* --- texts ------------------------------------------------------------------------------------------- */

static uint64_t word(const char *s, int64_t n) { /* up to 8 bytes, padded with zeros */
    uint64_t value = 0;
    if (n >= 8) {
        memcpy(&value, s, 8);
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

static uint64_t text_hash(const char *s, int64_t n) { /* hashing.py's word_hash is the same in Python */
    uint64_t h = (uint64_t)n * 0x9E3779B97F4A7C15u;
    for (; n > 0; s += 8, n -= 8) {
        h = (h ^ word(s, n)) * 0xD6E8FEB86659FD93u;
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

static int count_text(Texts *t, const char *s, int64_t n) {
    if (t->full) return 1;
    uint64_t hash = text_hash(s, n);
    int32_t slot = hash & t->mask;
    for (int32_t at; t->mask && (at = t->slots[slot]) >= 0; slot = (slot + 1) & t->mask) {
        Entry *e = &t->entries[at];
        if (e->hash == hash && e->length == n && !memcmp(e->text, s, n)) return e->count++, 1;
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

/* --- cells ------------------------------------------------------------------------------------------- */

static const double TENS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#if LDBL_MANT_DIG == 64
static const long double LONG_TENS[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
                                        1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
                                        1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
#endif

static double by_library(const char *s, const char *end) {
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
static double nearest(uint64_t digits, int64_t power, int64_t count, const char *s, const char *end) {
    if (count <= 19) {
        if (digits <= 1ull << 53 && power >= -22 && power <= 22)
            return power < 0 ? digits / TENS[-power] : digits * TENS[power];
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
static const char *read_number(const char *s, const char *end, double *value, int *whole) {
    const char *p = s + (*s == '-' || *s == '+'), *first = p;
    uint64_t digits = 0;
    int64_t power = 0, count;
    unsigned digit;
    for (; p < end && (digit = (unsigned char)*p - '0') < 10; p++) digits = digits * 10 + digit;
    count = p - first;
    *whole = 1;
    if (p < end && *p == '.') {
        const char *point = ++p;
        for (; p < end && (digit = (unsigned char)*p - '0') < 10; p++) digits = digits * 10 + digit;
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

static int is_missing(const char *s, int64_t n) { /* MISSING of read/values.py */
    switch (n) {
    case 0: return 1;
    case 1: return *s == '?';
    case 2: return is_word(s, "na", 2);
    case 3: return is_word(s, "n/a", 3) || is_word(s, "nan", 3);
    case 4: return is_word(s, "null", 4) || is_word(s, "none", 4);
    default: return 0;
    }
}

static int count_number(Column *c, const char *s, int64_t n, double value, int whole) {
    if (!isfinite(value)) return c->kinds[STRING]++, count_text(&c->others, s, n);
    c->kinds[whole ? INTEGRAL : FRACTIONAL]++;
    c->values[c->numbers++] = value;
    return count_text(&c->numerals, s, n);
}

static int is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static int count_cell(Column *c, const char *s, int64_t n) {
    while (n && is_space(*s)) s++, n--;
    while (n && is_space(s[n - 1])) n--;
    if (is_missing(s, n)) return c->kinds[MISSING]++, 1;
    double value;
    int whole;
    if (*s <= '9' && read_number(s, s + n, &value, &whole) == s + n) return count_number(c, s, n, value, whole);
    int boolean = (n == 4 && is_word(s, "true", 4)) || (n == 5 && is_word(s, "false", 5));
    c->kinds[boolean ? BOOLEAN : STRING]++;
    return count_text(&c->others, s, n);
}

/* --- blocks ------------------------------------------------------------------------------------------ */

static int ends_cell(char c) { return c == ',' || c == '\n' || c == '\r'; }

/* Finds the end of a cell that begins with a quotation mark; 0 where the quotes are never closed. */
static const char *quoted_end(const char *p, const char *end) {
    for (p++; p < end; p++)
        if (*p == '"' && (p + 1 == end || *++p != '"')) break;
    if (p >= end) return 0;
    while (p < end && !ends_cell(*p)) p++;
    return p;
}

/* Takes a cell out of its quotes; gives 0 when there is no memory for it. */
static int unquote(Reader *r, const char *p, const char *last, const char **text, int64_t *length) {
    const char *close = memchr(p + 1, '"', last - p - 1);
    *text = p + 1, *length = close - p - 1;
    if (close + 1 == last) return 1;
    if (r->kept == r->room) {
        char **more = realloc(r->scratch, sizeof(char *) * (r->room = r->room * 2 + 64));
        if (!more) return 0;
        r->scratch = more;
    }
    char *copy = r->scratch[r->kept] = malloc(last - p);
    if (!copy) return 0;
    r->kept++;
    int64_t n = 0;
    for (int quoted = 1; ++p < last;) { /* what follows the closing mark belongs to the cell as it is */
        if (quoted && *p == '"' && (p + 1 == last || p[1] != '"')) quoted = 0;
        else copy[n++] = quoted && *p == '"' ? *++p : *p;
    }
    return *text = copy, *length = n, 1;
}

/* Reads whole records of CSV; gives their number, or what is wrong with the record after *rows. */
int64_t tg_read_csv(Reader *r, const char *p, int64_t size, int64_t *rows, int64_t *fields) {
    const char *end = p + size;
    for (*rows = 0; p < end; ++*rows) {
        while (p < end && (*p == '\n' || *p == '\r')) p++; /* blank lines */
        if (p == end) break;
        for (int32_t at = 0;; at++) {
            Column *c = r->columns + at;
            const char *text = p;
            int64_t length;
            double value;
            int whole;
            const char *stop;
            if (p < end && *p == '"') {
                if (!(stop = quoted_end(p, end))) return OPEN_QUOTE;
                if (!unquote(r, p, stop, &text, &length)) return NO_MEMORY;
                if (at < r->width && !count_cell(c, text, length)) return NO_MEMORY;
            } else if (p < end && *p <= '9' && !ends_cell(*p) && (stop = read_number(p, end, &value, &whole)) &&
                       (stop == end || ends_cell(*stop))) {
                if (at < r->width && !count_number(c, p, stop - p, value, whole)) return NO_MEMORY;
            } else {
                for (stop = p; stop < end && !ends_cell(*stop);) stop++;
                if (at < r->width && !count_cell(c, p, stop - p)) return NO_MEMORY;
            }
            p = stop + 1;
            if (stop < end && *stop == ',') continue;
            if (stop < end && *stop == '\r' && p < end && *p == '\n') p++;
            if (at + 1 != r->width) return *fields = at + 1, BAD_WIDTH;
            break;
        }
    }
    return *rows;
}

/* Reads an Arrow array of texts (offsets of 32 bits) into one column. */
int64_t tg_read_texts(Reader *r, int32_t at, const int32_t *offsets, const char *data, const uint8_t *valid,
                      int64_t first, int64_t rows) {
    Column *c = r->columns + at;
    for (int64_t row = first; row < first + rows; row++) {
        if (valid && !(valid[row >> 3] >> (row & 7) & 1)) c->kinds[MISSING]++;
        else if (!count_cell(c, data + offsets[row], offsets[row + 1] - offsets[row])) return NO_MEMORY;
    }
    return rows;
}

/* Gives the end of the last whole record; the block begins with a record. */
int64_t tg_whole_records(const char *s, int64_t size) {
    const char *p = s, *end = s + size, *last = s;
    if (!memchr(s, '"', size)) {
        for (p = end; p > s && p[-1] != '\n';) p--;
        if (p == s) /* an old Mac's file; the last byte may be half of \r\n */
            for (p = end - 1; p > s && p[-1] != '\r';) p--;
        return p - s;
    }
    while (p < end) {
        if (*p == '"') {
            if (!(p = quoted_end(p, end))) break;
        } else {
            while (p < end && !ends_cell(*p)) p++;
        }
        if (p + 1 >= end && !(p < end && *p == '\n')) break;
        if (*p == '\r' && p[1] == '\n') p++;
        if (*p != ',') last = p + 1;
        p++;
    }
    return last - s;
}

/* Tells whether bytes are UTF-8 text without NUL: 1, or 0. */
int64_t tg_is_text(const char *s, int64_t size) {
    const uint8_t *p = (const uint8_t *)s, *end = p + size;
    if (memchr(s, 0, size)) return 0;
    while (p < end) {
        uint64_t eight;
        if (end - p >= 8 && (memcpy(&eight, p, 8), !(eight & 0x8080808080808080u))) {
            p += 8;
            continue;
        }
        if (*p < 0x80) {
            p++;
            continue;
        }
        int more = *p >= 0xF0 ? 3 : *p >= 0xE0 ? 2 : 1;
        uint8_t low = *p == 0xE0 ? 0xA0 : *p == 0xF0 ? 0x90 : 0x80, high = *p == 0xED ? 0x9F : *p == 0xF4 ? 0x8F : 0xBF;
        if (*p < 0xC2 || *p > 0xF4 || end - p <= more || p[1] < low || p[1] > high) return 0;
        for (int at = 2; at <= more; at++)
            if (p[at] < 0x80 || p[at] > 0xBF) return 0;
        p += more + 1;
    }
    return 1;
}

/* --- the reader -------------------------------------------------------------------------------------- */

void tg_free(Reader *r) {
    for (int32_t at = 0; r->columns && at < r->width; at++) {
        Column *c = r->columns + at;
        free(c->numerals.slots), free(c->numerals.entries), free(c->others.slots), free(c->others.entries);
    }
    while (r->kept) free(r->scratch[--r->kept]);
    free(r->scratch), free(r->columns), free(r);
}

Reader *tg_new(int32_t width) {
    Reader *r = calloc(1, sizeof(Reader));
    if (!r) return 0;
    r->width = width;
    if ((r->columns = calloc(width, sizeof(Column)))) return r;
    return free(r), (Reader *)0;
}

/* Makes ready for a block whose numbers go to values, stride apart by column; at most limit numerals count. */
void tg_begin(Reader *r, double *values, int64_t stride, int32_t limit) {
    while (r->kept) free(r->scratch[--r->kept]);
    for (int32_t at = 0; at < r->width; at++) {
        Column *c = r->columns + at;
        memset(c->kinds, 0, sizeof c->kinds);
        c->numbers = 0;
        c->values = values + at * stride;
        forget(&c->numerals), forget(&c->others);
        c->numerals.limit = limit, c->others.limit = INT32_MAX;
    }
}

/* Gives for each column its five kinds, how many numerals (-1: too many) and how many other texts it has. */
void tg_kinds(const Reader *r, int64_t *out) {
    for (int32_t at = 0; at < r->width; at++, out += KINDS + 2) {
        const Column *c = r->columns + at;
        memcpy(out, c->kinds, sizeof c->kinds);
        out[KINDS] = c->numerals.full ? -1 : c->numerals.used;
        out[KINDS + 1] = c->others.used;
    }
}

void tg_entries(const Reader *r, int32_t at, int32_t others, uint64_t *hashes, int64_t *counts, int64_t *texts,
                int64_t *lengths) {
    const Texts *t = others ? &r->columns[at].others : &r->columns[at].numerals;
    for (int32_t i = 0; i < t->used; i++) {
        hashes[i] = t->entries[i].hash, counts[i] = t->entries[i].count;
        texts[i] = (int64_t)(intptr_t)t->entries[i].text, lengths[i] = t->entries[i].length;
    }
}

uint64_t tg_text_hash(const char *s, int64_t n) { return text_hash(s, n); }
