/* Reads blocks of CSV and columns of texts into numbers and counts; sketches and sums are NumPy's work.
 * Built by __init__.py, which also says what happens without a compiler. */
#include "cells.h"
#include "sorting.h"

enum { BAD_WIDTH = -1, OPEN_QUOTE = -2, NO_MEMORY = -3, NOT_PLAIN = -4, LONG_CELL = -5 };

#define MOST_CELL 131072 /* MOST_CELL_BYTES of core/bounds.py */

typedef struct {
    int32_t width;
    Column *columns;
    int64_t *seen; /* the row that last had each column, counted from 1 */
    char **scratch; /* unescaped quoted cells; freed with the next block */
    int64_t kept, room;
} Reader;

/* --- blocks ------------------------------------------------------------------------------------------ */

static int ends_cell(char c) { return c == ',' || c == '\n' || c == '\r'; }

/* The highest bit of each byte that is c, up to the first; what is set after it means nothing. */
static uint64_t bytes_of(uint64_t eight, char c) {
    eight ^= 0x0101010101010101u * (unsigned char)c;
    return (eight - 0x0101010101010101u) & ~eight & 0x8080808080808080u;
}

static const char *cell_end(const char *p, const char *end) {
    for (; end - p >= 8; p += 8) {
        uint64_t eight;
        memcpy(&eight, p, 8);
        uint64_t ends = bytes_of(eight, ',') | bytes_of(eight, '\n') | bytes_of(eight, '\r');
        if (ends) return p + (__builtin_ctzll(ends) >> 3);
    }
    while (p < end && !ends_cell(*p)) p++;
    return p;
}

/* Finds the end of a cell that begins with a quotation mark; 0 where the quotes are never closed. */
static const char *quoted_end(const char *p, const char *end) {
    for (p++; p < end; p++)
        if (*p == '"' && (p + 1 == end || *++p != '"')) break;
    return p < end ? cell_end(p, end) : 0;
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
                if (length > MOST_CELL) return LONG_CELL;
                if (at < r->width && !count_cell(c, text, length, text + length)) return NO_MEMORY;
            } else if (p < end && *p <= '9' && !ends_cell(*p) && (stop = read_number(p, end, &value, &whole)) &&
                       (stop == end || ends_cell(*stop))) {
                if (stop - p > MOST_CELL) return LONG_CELL;
                if (at < r->width && !count_number(c, p, stop - p, end, value, whole)) return NO_MEMORY;
            } else {
                stop = cell_end(p, end);
                if (stop - p > MOST_CELL) return LONG_CELL;
                if (at < r->width && !count_cell(c, p, stop - p, end)) return NO_MEMORY;
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

static const char *skip_blanks(const char *p, const char *end) {
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r')) p++;
    return p;
}

/* Finds the end of a text of JSON; 0 where it has escapes or control characters, or no end. */
static const char *plain_text(const char *p, const char *end) {
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= ' ') p++;
    return p < end && *p == '"' ? p : 0;
}

static int is_json(const char *s, int64_t n) { /* a number or a word that may stand without quotes */
    double value;
    int whole;
    static const char *const WORDS[] = {"true", "false", "null", "NaN", "Infinity", "-Infinity"};
    for (int at = 0; at < 6; at++)
        if (n == (int64_t)strlen(WORDS[at]) && !memcmp(s, WORDS[at], n)) return 1;
    int64_t first = n && *s == '-';
    if (n == first || (unsigned)(s[first] - '0') > 9 || s[n - 1] == '.') return 0;
    if (s[first] == '0' && n > first + 1 && (unsigned)(s[first + 1] - '0') < 10) return 0;
    return read_number(s, s + n, &value, &whole) == s + n;
}

/* Reads lines of JSON, each one object of the given names (one after the other, ends[at] where each ends) with
 * plain values; gives their number, or NOT_PLAIN for anything that a whole reader of JSON has to look at. */
int64_t tg_read_json(Reader *r, const char *p, int64_t size, const char *names, const int32_t *ends) {
    const char *end = p + size;
    int64_t row = 0, cells = 0, tried_in_all = 0;
    while ((p = skip_blanks(p, end)) < end) {
        if (*p == '\n') {
            p++;
            continue;
        }
        if (*p++ != '{') return NOT_PLAIN;
        row++;
        for (int32_t at = -1;;) {
            p = skip_blanks(p, end);
            const char *stop = p < end && *p == '"' ? plain_text(p + 1, end) : 0;
            if (!stop) return NOT_PLAIN;
            int32_t tried = 0, length = stop - p - 1;
            for (at = (at + 1) % r->width; tried < r->width; tried++, at = (at + 1) % r->width) {
                int32_t begin = at ? ends[at - 1] : 0;
                if (ends[at] - begin == length && !memcmp(names + begin, p + 1, length)) break;
            }
            if (tried == r->width || r->seen[at] == row) return NOT_PLAIN;
            /* Names mostly come in their order; looking through thousands for each would take the square. */
            if ((tried_in_all += tried) > 32 * ++cells + 65536) return NOT_PLAIN;
            r->seen[at] = row;
            p = skip_blanks(stop + 1, end);
            if (p == end || *p++ != ':' || (p = skip_blanks(p, end)) == end) return NOT_PLAIN;
            const char *text = p;
            int nothing = 0; /* null and NaN without quotes are no words */
            if (*p == '"') {
                if (!(stop = plain_text(++text, end))) return NOT_PLAIN;
                p = stop + 1;
            } else {
                while (p < end && *p != ',' && *p != '}' && (unsigned char)*p > ' ') p++;
                if (!is_json(text, (stop = p) - text)) return NOT_PLAIN;
                nothing = *text == 'n' || *text == 'N';
            }
            if (stop - text > MOST_CELL) return NOT_PLAIN;
            if (nothing) r->columns[at].kinds[MISSING]++;
            else if (!count_cell(r->columns + at, text, stop - text, end)) return NO_MEMORY;
            p = skip_blanks(p, end);
            if (p == end || (*p != ',' && *p != '}')) return NOT_PLAIN;
            if (*p++ == '}') break;
        }
        p = skip_blanks(p, end);
        if (p < end && *p++ != '\n') return NOT_PLAIN;
        for (int32_t at = 0; at < r->width; at++)
            if (r->seen[at] != row) r->columns[at].kinds[MISSING]++;
    }
    return row;
}

/* Reads an Arrow array of texts (offsets of 32 bits) into one column. */
int64_t tg_read_texts(Reader *r, int32_t at, const int32_t *offsets, const char *data, const uint8_t *valid,
                      int64_t first, int64_t rows) {
    Column *c = r->columns + at;
    const char *end = data + offsets[first + rows];
    for (int64_t row = first; row < first + rows; row++) {
        if (valid && !(valid[row >> 3] >> (row & 7) & 1)) c->kinds[MISSING]++;
        else if (!count_cell(c, data + offsets[row], offsets[row + 1] - offsets[row], end)) return NO_MEMORY;
    }
    return rows;
}

/* Gives the end of the last whole record; the block begins with a record. */
int64_t tg_whole_records(const char *s, int64_t size) {
    const char *p = s, *end = s + size, *last = s;
    if (!memchr(s, '"', size)) {
        for (p = end; p > s && p[-1] != '\n';) p--;
        if (p == s && size) /* an old Mac's file; the last byte may be half of \r\n */
            for (p = end - 1; p > s && p[-1] != '\r';) p--;
        return p - s;
    }
    while (p < end) {
        if (*p == '"') {
            if (!(p = quoted_end(p, end))) break;
        } else {
            p = cell_end(p, end);
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
        free(c->markers.slots), free(c->markers.entries);
    }
    while (r->kept) free(r->scratch[--r->kept]);
    free(r->scratch), free(r->seen), free(r->columns), free(r);
}

Reader *tg_new(int32_t width) {
    Reader *r = calloc(1, sizeof(Reader));
    if (!r) return 0;
    r->width = width;
    r->columns = calloc(width, sizeof(Column));
    r->seen = calloc(width, sizeof(int64_t));
    if (r->columns && r->seen) return r;
    return tg_free(r), (Reader *)0;
}

/* Makes ready for a block whose numbers go to values, stride apart by column; at most limit numerals count. */
void tg_begin(Reader *r, double *values, int64_t stride, int32_t limit) {
    while (r->kept) free(r->scratch[--r->kept]);
    for (int32_t at = 0; at < r->width; at++) {
        Column *c = r->columns + at;
        memset(c->kinds, 0, sizeof c->kinds);
        c->numbers = r->seen[at] = 0;
        c->values = values + at * stride;
        forget(&c->numerals), forget(&c->others), forget(&c->markers);
        c->numerals.limit = limit, c->others.limit = c->markers.limit = INT32_MAX;
    }
}

/* Gives for each column its five kinds, and how many numerals (-1: too many), other texts and markers it has. */
void tg_kinds(const Reader *r, int64_t *out) {
    for (int32_t at = 0; at < r->width; at++, out += KINDS + 3) {
        const Column *c = r->columns + at;
        memcpy(out, c->kinds, sizeof c->kinds);
        out[KINDS] = c->numerals.full ? -1 : c->numerals.used;
        out[KINDS + 1] = c->others.used;
        out[KINDS + 2] = c->markers.used;
    }
}

void tg_entries(const Reader *r, int32_t at, int32_t which, uint64_t *hashes, int64_t *counts, int64_t *texts,
                int64_t *lengths) {
    const Column *c = r->columns + at;
    const Texts *t = which == 0 ? &c->numerals : which == 1 ? &c->others : &c->markers;
    for (int32_t i = 0; i < t->used; i++) {
        hashes[i] = t->entries[i].hash, counts[i] = t->entries[i].count;
        texts[i] = (int64_t)(intptr_t)t->entries[i].text, lengths[i] = t->entries[i].length;
    }
}

uint64_t tg_text_hash(const char *s, int64_t n) { return text_hash(s, n, s + n); }

/* Copies texts one after the other, a NUL after each. */
void tg_joined(const int64_t *texts, const int64_t *lengths, int64_t count, char *out) {
    for (int64_t at = 0; at < count; at++, out++) {
        memcpy(out, (const char *)(intptr_t)texts[at], lengths[at]);
        *(out += lengths[at]) = 0;
    }
}

/* Writes the hashes of numbers that are not above a bound, as hashing.py makes them; gives how many they are. */
int64_t tg_number_hashes(const double *values, int64_t count, uint64_t bound, uint64_t *out) {
    int64_t kept = 0;
    for (int64_t at = 0; at < count; at++) {
        double value = values[at] + 0.0; /* -0.0 becomes 0.0 */
        uint64_t bits;
        memcpy(&bits, &value, 8);
        out[kept] = bits = mixed(bits);
        kept += bits <= bound;
    }
    return kept;
}
