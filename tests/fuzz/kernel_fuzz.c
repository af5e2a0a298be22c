/* Fuzzes the kernel in one process: takes texts apart and together at random and looks at what is told of them.
 * Built with sanitizers and run by __main__.py beside this file; buffers end where the text ends, so that reading
 * one byte too many is found. usage: kernel_fuzz SECONDS SEED */
#include <stdio.h>
#include <time.h>

#include "../../src/tidegate/table/native/kernel.c"

void __sanitizer_set_death_callback(void (*callback)(void));

enum { MOST = 4096, MOST_WIDTH = 5 };
static const char *const PIECES[] = {
    "a", "1", "-2.5", "1e308", "1e999", "00", ".", "-", "+5", "NA", "null", "?", "true", "FALSE", ",", ",", ",", "\n", "\n",
    "\r", "\r\n", "\"", "\"", "\"\"", " ", "\t", "{", "}", "{\"a\":1,\"b\":\"x\"}\n", "\"a\":", "\"b\":", "\"c\":null", ":",
    "[1]", "\\", "\\u00e9", "\\ud800", "\xc3\xa9", "\xe2\x80\xa8", "\xf0\x9f\x98\x80", "\xff", "\xed\xa0\x80", "\xef\xbb\xbf",
    "12345678", "123456789012345678901234567890", "0.1234567890123456789", "abcdefghijklmnopqrstuvwxyz",
};
static const char *const SEEDS[] = {
    "a,b,c\n1,2,3\n\"x\",\"y \"\"z\"\"\",\n", "1,2\r\n3,4\r\n", "\r\r1\r2\r", "{\"a\": 1, \"b\": \"x\", \"c\": null}\n{\"c\": true}\n", "",
};
static char text[MOST];
static int64_t length;
static uint64_t state;

static uint64_t dice(uint64_t sides) { return sides ? mixed(state += 0x9E3779B97F4A7C15u) % sides : 0; }

static void show(void) {
    fprintf(stderr, "the text that it happened with, %lld bytes: ", (long long)length);
    for (int64_t at = 0; at < length; at++) fprintf(stderr, "%02x", (unsigned char)text[at]);
    fprintf(stderr, "\n");
}

static void demand(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    show();
    exit(1);
}

static void put(const char *piece, int64_t size, int64_t at) {
    if (length + size > MOST) return;
    memmove(text + at + size, text + at, length - at);
    memcpy(text + at, piece, size);
    length += size;
}

static void change(void) {
    int64_t at = dice(length + 1);
    switch (dice(4)) {
    case 0: { /* take out */
        int64_t out = dice(length - at < 9 ? length - at + 1 : 9);
        memmove(text + at, text + at + out, length - at - out);
        length -= out;
        break;
    }
    case 1: /* another byte */
        if (at < length) text[at] = (char)(dice(255) + 1);
        break;
    case 2: { /* a part once more */
        char part[64];
        int64_t size = dice(length - at < 64 ? length - at + 1 : 64);
        memcpy(part, text + at, size);
        put(part, size, dice(length + 1));
        break;
    }
    default: {
        const char *piece = PIECES[dice(sizeof PIECES / sizeof *PIECES)];
        put(piece, (int64_t)strlen(piece), at);
    }
    }
}

static void look_at(Reader *r, int64_t rows) {
    int64_t kinds[MOST_WIDTH][KINDS + 3];
    tg_kinds(r, &kinds[0][0]);
    for (int32_t at = 0; at < r->width; at++) {
        int64_t cells = 0;
        for (int kind = 0; kind < KINDS; kind++) cells += kinds[at][kind];
        for (int32_t i = 0; i < r->columns[at].markers.used; i++) cells += r->columns[at].markers.entries[i].count;
        demand(cells == rows, "a column has not as many cells as there are rows");
        for (int others = 0; others < 3; others++) {
            int64_t count = kinds[at][KINDS + others], told = 0, bytes = 0;
            if (count < 0) continue;
            int64_t *found = malloc(4 * count * sizeof(int64_t) + 8);
            tg_entries(r, at, others, (uint64_t *)found, found + count, found + 2 * count, found + 3 * count);
            for (int64_t i = 0; i < count; i++) told += found[count + i], bytes += found[3 * count + i] + 1;
            int64_t wanted = others ? kinds[at][BOOLEAN] + kinds[at][STRING] : kinds[at][INTEGRAL] + kinds[at][FRACTIONAL];
            demand(others == 2 || told == wanted, "texts are not as many as were counted");
            char *joined = malloc(bytes + 1);
            tg_joined(found + 2 * count, found + 3 * count, count, joined);
            free(joined), free(found);
        }
        int64_t numbers = r->columns[at].numbers;
        uint64_t *hashes = malloc((numbers + 1) * sizeof *hashes);
        tg_number_hashes(r->columns[at].values, numbers, dice(2) ? ~0ull : 1ull << 60, hashes);
        free(hashes);
    }
}

static void read_texts(const char *s, int64_t size) {
    Reader *r = tg_new(1);
    int32_t offsets[9] = {0};
    for (int at = 1; at < 9; at++) offsets[at] = offsets[at - 1] + (int32_t)dice(size - offsets[at - 1] + 1);
    double values[8];
    uint8_t valid = (uint8_t)dice(256);
    tg_begin(r, values, 8, 3);
    demand(tg_read_texts(r, 0, offsets, s, dice(2) ? &valid : 0, 0, 8) == 8, "not every text was read");
    look_at(r, 8);
    tg_free(r);
}

int main(int count, char **words) {
    if (count != 3) return 2;
    time_t ends = time(0) + atol(words[1]);
    state = strtoull(words[2], 0, 10);
    __sanitizer_set_death_callback(show);
    long long done = 0, read = 0;
    while (time(0) < ends) {
        const char *seed = SEEDS[dice(sizeof SEEDS / sizeof *SEEDS)];
        length = (int64_t)strlen(seed);
        memcpy(text, seed, length);
        for (int64_t changes = dice(60); changes >= 0; changes--) {
            change();
            char *s = malloc(length ? length : 1); /* so that what lies after the last byte is nobody's */
            memcpy(s, text, length);
            int64_t whole = tg_whole_records(s, length);
            demand(whole >= 0 && whole <= length, "more records than text");
            if (tg_is_text(s, length)) {
                int32_t width = (int32_t)dice(MOST_WIDTH) + 1;
                int64_t rows, fields = 0, stride = length / width + 1, lines = 1;
                for (int64_t at = 0; at < length; at++) lines += s[at] == '\n';
                Reader *r = tg_new(width);
                double *values = malloc(stride * width * sizeof *values);
                tg_begin(r, values, stride, (int32_t)dice(4));
                int64_t found = tg_read_csv(r, s, length, &rows, &fields);
                demand(found >= LONG_CELL && found <= stride, "an impossible number of rows");
                if (found >= 0) look_at(r, found), read++;
                tg_free(r), free(values);
                static const int32_t ENDS[] = {1, 2, 3};
                r = tg_new(3);
                values = malloc(lines * 3 * sizeof *values);
                tg_begin(r, values, lines, 2);
                found = tg_read_json(r, s, length, "abc", ENDS);
                demand(found <= lines, "more objects than lines");
                if (found >= 0) look_at(r, found), read++;
                tg_free(r), free(values);
                read_texts(s, length);
            }
            free(s);
            done++;
        }
    }
    printf("%lld texts, %lld of them tables; nothing was found\n", done, read);
    return 0;
}
