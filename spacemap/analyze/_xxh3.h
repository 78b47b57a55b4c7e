/* XXH3, 128 bits, over contents that arrive in windows. */
#ifndef SPACEMAP_XXH3_H
#define SPACEMAP_XXH3_H

#include <stddef.h>
#include <stdint.h>

enum { XXH3_BLOCK = 1024, XXH3_STRIPE = 64 };

typedef struct {
    uint64_t low, high;
} xxh3_digest;

/* What is known of the bytes before a window, whose number is a multiple of XXH3_BLOCK. */
typedef struct {
    uint64_t lanes[8];
    unsigned char tail[XXH3_STRIPE]; /* the last of these bytes */
} xxh3_state;

void xxh3_begin(xxh3_state *state);

/* Take a window whose length is a multiple of XXH3_BLOCK. */
void xxh3_take(xxh3_state *state, const unsigned char *window, size_t length);

/* The digest of all `offset` bytes taken and a window of any length above 0 behind them; the state stays. */
xxh3_digest xxh3_digest_with(const xxh3_state *state, uint64_t offset, const unsigned char *window, size_t length);

#endif
