/* XXH3 as its specification describes it, seed 0. Little-endian processors. */
#include "_xxh3.h"

#include <string.h>

static const uint64_t P32_1 = 0x9E3779B1u, P32_2 = 0x85EBCA77u, P32_3 = 0xC2B2AE3Du;
static const uint64_t P64_1 = 0x9E3779B185EBCA87u, P64_2 = 0xC2B2AE3D27D4EB4Fu, P64_3 = 0x165667B19E3779F9u,
                      P64_4 = 0x85EBCA77C2B2AE63u, P64_5 = 0x27D4EB2F165667C5u;
static const uint64_t MIX_1 = 0x165667919E3779F9u, MIX_2 = 0x9FB21C651E98DF25u;

enum { SECRET_SIZE = 192, LONGEST_SHORT = 240, STRIPES = XXH3_BLOCK / XXH3_STRIPE };

static const unsigned char SECRET[SECRET_SIZE] = {
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c, 0xde, 0xd4, 0x6d, 0xe9,
    0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f, 0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78,
    0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21, 0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6,
    0x81, 0x3a, 0x26, 0x4c, 0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
    0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8, 0xa8, 0xfa, 0x76, 0x3f,
    0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d, 0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31,
    0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64, 0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff,
    0xfa, 0x13, 0x63, 0xeb, 0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
    0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce, 0x45, 0xcb, 0x3a, 0x8f,
    0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e};

static uint64_t load64(const unsigned char *from) {
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static uint32_t load32(const unsigned char *from) {
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

__extension__ typedef unsigned __int128 wide;

static uint64_t folded(uint64_t a, uint64_t b) {
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t avalanche(uint64_t hash) {
    hash = (hash ^ hash >> 37) * MIX_1;
    return hash ^ hash >> 32;
}

static uint64_t avalanche_of_64(uint64_t hash) {
    hash = (hash ^ hash >> 33) * P64_2;
    hash = (hash ^ hash >> 29) * P64_3;
    return hash ^ hash >> 32;
}

/* The compiler makes one for processors with wider registers, too, and the system chooses. */
#if !defined(ONE_WIDTH) && defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__GLIBC__)
#define WIDE __attribute__((target_clones("avx2", "default"), optimize("O3")))
#else
#define WIDE
#endif

static inline __attribute__((always_inline)) void accumulate(uint64_t *lanes, const unsigned char *stripe, const unsigned char *secret) {
    uint64_t values[8];
    for (int i = 0; i < 8; i++)
        values[i] = load64(stripe + 8 * i);
    for (int i = 0; i < 8; i++) {
        uint64_t key = values[i] ^ load64(secret + 8 * i);
        lanes[i] += values[i ^ 1] + (key & 0xFFFFFFFFu) * (key >> 32);
    }
}

static inline __attribute__((always_inline)) void take_stripes(uint64_t *lanes, const unsigned char *from, size_t count) {
    for (size_t i = 0; i < count; i++)
        accumulate(lanes, from + i * XXH3_STRIPE, SECRET + 8 * i);
}

static inline __attribute__((always_inline)) void take_block(uint64_t *lanes, const unsigned char *block) {
    take_stripes(lanes, block, STRIPES);
    for (int i = 0; i < 8; i++) {
        uint64_t lane = lanes[i];
        lanes[i] = (lane ^ lane >> 47 ^ load64(SECRET + SECRET_SIZE - 64 + 8 * i)) * P32_1;
    }
}

static uint64_t merged(const uint64_t *lanes, const unsigned char *secret, uint64_t start) {
    for (int i = 0; i < 4; i++)
        start += folded(lanes[2 * i] ^ load64(secret + 16 * i), lanes[2 * i + 1] ^ load64(secret + 16 * i + 8));
    return avalanche(start);
}

static xxh3_digest up_to_3(const unsigned char *in, size_t length) {
    uint32_t low = (uint32_t)in[0] << 16 | (uint32_t)in[length >> 1] << 24 | in[length - 1] | (uint32_t)length << 8;
    uint32_t swapped = __builtin_bswap32(low), high = swapped << 13 | swapped >> 19;
    return (xxh3_digest){avalanche_of_64(low ^ (uint64_t)(load32(SECRET) ^ load32(SECRET + 4))),
                         avalanche_of_64(high ^ (uint64_t)(load32(SECRET + 8) ^ load32(SECRET + 12)))};
}

static xxh3_digest up_to_8(const unsigned char *in, size_t length) {
    uint64_t value = load32(in) + ((uint64_t)load32(in + length - 4) << 32);
    wide product = (wide)(value ^ load64(SECRET + 16) ^ load64(SECRET + 24)) * (P64_1 + (length << 2));
    uint64_t low = (uint64_t)product, high = (uint64_t)(product >> 64) + (low << 1);
    low ^= high >> 3;
    low = (low ^ low >> 35) * MIX_2;
    return (xxh3_digest){low ^ low >> 28, avalanche(high)};
}

static xxh3_digest up_to_16(const unsigned char *in, size_t length) {
    uint64_t begin = load64(in), end = load64(in + length - 8);
    wide product = (wide)(begin ^ end ^ load64(SECRET + 32) ^ load64(SECRET + 40)) * P64_1;
    uint64_t low = (uint64_t)product + ((uint64_t)(length - 1) << 54), high = (uint64_t)(product >> 64);
    end ^= load64(SECRET + 48) ^ load64(SECRET + 56);
    high += end + (end & 0xFFFFFFFFu) * (P32_2 - 1);
    low ^= __builtin_bswap64(high);
    product = (wide)low * P64_2;
    return (xxh3_digest){avalanche((uint64_t)product), avalanche((uint64_t)(product >> 64) + high * P64_2)};
}

static uint64_t mixed(const unsigned char *in, const unsigned char *secret) {
    return folded(load64(in) ^ load64(secret), load64(in + 8) ^ load64(secret + 8));
}

static void mix_pair(xxh3_digest *sum, const unsigned char *one, const unsigned char *other, const unsigned char *secret) {
    sum->low = (sum->low + mixed(one, secret)) ^ (load64(other) + load64(other + 8));
    sum->high = (sum->high + mixed(other, secret + 16)) ^ (load64(one) + load64(one + 8));
}

static xxh3_digest up_to_240(const unsigned char *in, size_t length) {
    xxh3_digest sum = {length * P64_1, 0};
    if (length <= 128) {
        for (size_t i = (length - 1) / 32 + 1; i-- > 0;)
            mix_pair(&sum, in + 16 * i, in + length - 16 * (i + 1), SECRET + 32 * i);
    } else {
        for (size_t i = 32; i < 160; i += 32)
            mix_pair(&sum, in + i - 32, in + i - 16, SECRET + i - 32);
        sum = (xxh3_digest){avalanche(sum.low), avalanche(sum.high)};
        for (size_t i = 160; i <= length; i += 32)
            mix_pair(&sum, in + i - 32, in + i - 16, SECRET + 3 + i - 160);
        mix_pair(&sum, in + length - 16, in + length - 32, SECRET + 136 - 17 - 16);
    }
    uint64_t high = sum.low * P64_1 + sum.high * P64_4 + length * P64_2;
    return (xxh3_digest){avalanche(sum.low + sum.high), 0 - avalanche(high)};
}

void xxh3_begin(xxh3_state *state) {
    const uint64_t lanes[8] = {P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1};
    memcpy(state->lanes, lanes, sizeof lanes);
    memset(state->tail, 0, sizeof state->tail);
}

WIDE static void take_blocks(uint64_t *lanes, const unsigned char *from, size_t length) {
    uint64_t own[8];
    memcpy(own, lanes, sizeof own);
    for (size_t at = 0; at < length; at += XXH3_BLOCK)
        take_block(own, from + at);
    memcpy(lanes, own, sizeof own);
}

void xxh3_take(xxh3_state *state, const unsigned char *window, size_t length) {
    take_blocks(state->lanes, window, length);
    memcpy(state->tail, window + length - XXH3_STRIPE, XXH3_STRIPE);
}

xxh3_digest xxh3_digest_with(const xxh3_state *state, uint64_t offset, const unsigned char *window, size_t length) {
    uint64_t total = offset + length;
    if (total <= 3)
        return up_to_3(window, length);
    if (total <= 8)
        return up_to_8(window, length);
    if (total <= 16)
        return up_to_16(window, length);
    if (total <= LONGEST_SHORT)
        return up_to_240(window, length);
    uint64_t lanes[8];
    memcpy(lanes, state->lanes, sizeof lanes);
    size_t whole = (length - 1) / XXH3_BLOCK * XXH3_BLOCK;
    take_blocks(lanes, window, whole);
    take_stripes(lanes, window + whole, (length - 1 - whole) / XXH3_STRIPE);
    unsigned char last[XXH3_STRIPE];
    size_t inside = length < XXH3_STRIPE ? length : XXH3_STRIPE;
    memcpy(last, state->tail + inside, XXH3_STRIPE - inside);
    memcpy(last + XXH3_STRIPE - inside, window + length - inside, inside);
    accumulate(lanes, last, SECRET + SECRET_SIZE - 64 - 7);
    return (xxh3_digest){merged(lanes, SECRET + 11, total * P64_1),
                         merged(lanes, SECRET + SECRET_SIZE - 64 - 11, ~(total * P64_2))};
}
