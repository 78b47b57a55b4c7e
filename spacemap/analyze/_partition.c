#include "_partition.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_WINDOW = 4096, MAX_WINDOW = 1 << 18, SHORTEST_JUMP = 1 << 20, MIN_SLOTS = 3 };

/* Files that are equal up to an offset: order[begin:end). */
typedef struct {
    size_t begin, end;
    uint64_t offset;
    xxh3_state state;
    int is_hashed; /* no hole was left out of the state */
} part;

/* Files of a part with equal windows. */
typedef struct {
    unsigned char *window; /* NULL: there was no room, and they are equal by their digest alone */
    xxh3_digest digest;
    int has_digest;
    size_t count;
} content;

typedef struct {
    run *run;
    source *sources;
    file *files; /* the whole batch */
    size_t first, count;
    uint64_t size;
    size_t *order, *sorted; /* indices of sources */
    uint32_t *content_of;   /* by position in the part */
    content *contents;
    uint32_t *table; /* of contents by digest, 0: free */
    size_t table_size;
    unsigned char *memory;
    part *stack;
    size_t stacked, stack_room;
} class;

static size_t window_at(const class *class, uint64_t offset) {
    uint64_t window = offset == 0 ? FIRST_WINDOW : offset < MAX_WINDOW ? offset : MAX_WINDOW;
    uint64_t highest = class->run->memory / MIN_SLOTS & ~(uint64_t)(FIRST_WINDOW - 1);
    if (window > highest)
        window = highest;
    return class->size - offset < window ? (size_t)(class->size - offset) : (size_t)window;
}

static int push(class *class, const part *part_) {
    if (class->stacked == class->stack_room) {
        size_t room = class->stack_room ? class->stack_room * 2 : 16;
        part *grown = realloc(class->stack, room * sizeof *grown);
        if (!grown)
            return -1;
        class->stack = grown;
        class->stack_room = room;
    }
    class->stack[class->stacked++] = *part_;
    return 0;
}

static int note(class *class, size_t index, uint64_t offset, xxh3_digest digest) {
    mark_list *list = &class->run->found;
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 1024;
        mark *grown = realloc(list->marks, room * sizeof *grown);
        if (!grown)
            return -1;
        list->marks = grown;
        list->room = room;
    }
    list->marks[list->count++] = (mark){offset, digest.low, digest.high, (uint32_t)(class->first + index), 0};
    return 0;
}

/* All about a file is known; what changed while it was read is not what was read. */
static void settle(class *class, size_t index, int state, uint32_t number) {
    source *source = &class->sources[index];
    if (source->file->state == WAITING && close_source(source, class->size) == 0) {
        source->file->state = state;
        source->file->part = number;
    }
    __atomic_add_fetch(&class->run->place.counters->files, 1, __ATOMIC_RELAXED);
}

static void know_digest(const class *class, const part *part, content *content, const unsigned char *window, size_t length) {
    if (content->has_digest)
        return;
    content->digest = xxh3_digest_with(&part->state, part->offset, window, length);
    content->digest.low &= (uint64_t)(int64_t)class->run->mask;
    content->digest.high &= (uint64_t)(int64_t)class->run->mask;
    content->has_digest = 1;
}

static void enter(class *class, uint32_t number) {
    size_t at = class->contents[number].digest.low & (class->table_size - 1);
    while (class->table[at])
        at = (at + 1) & (class->table_size - 1);
    class->table[at] = number + 1;
}

/* Which of the contents so far a window is; `count` when it is none of them. */
static uint32_t find(class *class, const part *part, uint32_t count, const unsigned char *window, size_t length,
                     content *own) {
    content *contents = class->contents;
    if (count && contents[0].window && memcmp(contents[0].window, window, length) == 0)
        return 0;
    if (!count)
        return 0;
    know_digest(class, part, own, window, length);
    if (count == 1) {
        size_t needed = 4;
        while (needed < 2 * (part->end - part->begin))
            needed *= 2;
        class->table_size = needed;
        memset(class->table, 0, needed * sizeof *class->table);
        if (contents[0].window)
            know_digest(class, part, &contents[0], contents[0].window, length);
        enter(class, 0);
    }
    size_t at = own->digest.low & (class->table_size - 1);
    for (; class->table[at]; at = (at + 1) & (class->table_size - 1)) {
        content *other = &contents[class->table[at] - 1];
        if (other->digest.low == own->digest.low && other->digest.high == own->digest.high &&
            (!other->window || memcmp(other->window, window, length) == 0))
            return class->table[at] - 1;
    }
    return count;
}

static int read_one(class *class, const part *part, size_t index, unsigned char *window, size_t length) {
    source *source = &class->sources[index];
    int keeps_open = part->end - part->begin <= class->run->open_files;
    if (source->descriptor < 0 && open_source(&class->run->place, source, class->size) < 0)
        return -1;
    if (read_source(&class->run->place, source, window, part->offset, length) < 0)
        return -1;
    return keeps_open ? 0 : close_source(source, class->size);
}

/* Read a window of each file and tell which contents there are: their number. Files that fail leave the part. */
static uint32_t read_windows(class *class, part *part, size_t length) {
    uint32_t found = 0;
    size_t slots = class->run->memory / (length + 64), used = 0, kept = part->begin;
    unsigned char *window = class->memory;
    for (size_t at = part->begin; at < part->end; at++) {
        size_t index = class->order[at];
        if (__atomic_load_n(&class->run->place.counters->stop, __ATOMIC_RELAXED)) {
            settle(class, index, STOPPED, 0);
            continue;
        }
        if (read_one(class, part, index, window, length) < 0) {
            settle(class, index, FAILED, 0);
            continue;
        }
        content own = {window, {0, 0}, 0, 0};
        uint32_t number = find(class, part, found, window, length, &own);
        if (number == found) {
            class->contents[found] = own;
            if (found)
                enter(class, found);
            if (used + 1 < slots)
                window = class->memory + ++used * (length + 64);
            else { /* the last slot is for what comes */
                know_digest(class, part, &class->contents[found], window, length);
                class->contents[found].window = NULL;
            }
            found++;
        }
        class->contents[number].count++;
        class->content_of[kept - part->begin] = number;
        class->order[kept++] = index;
    }
    part->end = kept;
    return found;
}

/* Lay files with equal contents side by side; `begins` of each content goes to its count. */
static void gather(class *class, const part *part, uint32_t found) {
    size_t total = 0;
    for (uint32_t i = 0; i < found; i++) {
        size_t count = class->contents[i].count;
        class->contents[i].count = total;
        total += count;
    }
    for (size_t at = part->begin; at < part->end; at++)
        class->sorted[class->contents[class->content_of[at - part->begin]].count++] = class->order[at];
    memcpy(class->order + part->begin, class->sorted, total * sizeof *class->order);
}

/* Whether the digest of a content tells it from all others of its part. */
static int is_telling(const class *class, uint32_t number, uint32_t found) {
    const content *own = &class->contents[number];
    for (size_t at = own->digest.low & (class->table_size - 1); found > 1 && class->table[at];
         at = (at + 1) & (class->table_size - 1)) {
        const content *other = &class->contents[class->table[at] - 1];
        if (other != own && other->digest.low == own->digest.low && other->digest.high == own->digest.high)
            return 0;
    }
    return 1;
}

/* What is to be done with files that have a window in common: they are known, or read on. */
static int follow(class *class, const part *from, size_t begin, size_t end, uint32_t number, uint32_t found, size_t length) {
    content *content = &class->contents[number];
    uint64_t offset = from->offset + length;
    int is_first = from->offset == 0, is_last = offset == class->size;
    if (!content->window && end - begin > 1) {
        part again = *from;
        again.begin = begin;
        again.end = end;
        return push(class, &again);
    }
    if (from->is_hashed && (is_first || is_last || found > 1)) {
        if (content->window)
            know_digest(class, from, content, content->window, length);
        for (size_t at = begin; is_telling(class, number, found) && at < end; at++)
            if (note(class, class->order[at], offset, content->digest) < 0)
                return -1;
    }
    if (end - begin == 1 || is_last || class->run->only_first) {
        uint32_t part_number = class->run->parts++;
        for (size_t at = begin; at < end; at++)
            settle(class, class->order[at], end - begin == 1 ? UNIQUE : EQUAL, part_number);
        return 0;
    }
    part next = {begin, end, offset, from->state, from->is_hashed};
    if (next.is_hashed)
        xxh3_take(&next.state, content->window, length);
    return push(class, &next);
}

/* Where all files of a part have a hole, nothing is read, nor hashed. */
static int jump(class *class, part *part) {
    uint64_t nearest = class->size;
    if (part->end - part->begin > class->run->open_files)
        return 0;
    for (size_t at = part->begin; at < part->end && nearest > part->offset; at++) {
        source *source = &class->sources[class->order[at]];
        if (!source->is_sparse || source->descriptor < 0)
            return 0;
        uint64_t data = next_data(source, part->offset, class->size);
        nearest = data < nearest ? data : nearest;
    }
    nearest = nearest == class->size ? nearest - 1 : nearest;
    nearest &= ~(uint64_t)(FIRST_WINDOW - 1);
    if (nearest < part->offset + SHORTEST_JUMP)
        return 0;
    __atomic_add_fetch(&class->run->place.counters->bytes, (nearest - part->offset) * (part->end - part->begin),
                       __ATOMIC_RELAXED);
    part->offset = nearest;
    part->is_hashed = 0;
    return 1;
}

static int advance(class *class) {
    part part = class->stack[--class->stacked];
    if (part.offset)
        jump(class, &part);
    size_t length = window_at(class, part.offset);
    memset(class->contents, 0, (part.end - part.begin) * sizeof *class->contents);
    uint32_t found = read_windows(class, &part, length);
    if (part.end == part.begin)
        return 0;
    gather(class, &part, found);
    size_t begin = part.begin;
    for (uint32_t i = 0; i < found; i++) {
        size_t end = part.begin + class->contents[i].count;
        if (follow(class, &part, begin, end, i, found, length) < 0)
            return -1;
        begin = end;
    }
    return 0;
}

static int work(class *class) {
    part all = {.begin = 0, .end = class->count, .offset = 0, .is_hashed = 1};
    xxh3_begin(&all.state);
    for (size_t i = 0; i < class->count; i++) {
        class->sources[i] = (source){.file = class->files + class->first + i, .descriptor = -1};
        class->order[i] = i;
    }
    if (push(class, &all) < 0)
        return -1;
    while (class->stacked)
        if (advance(class) < 0)
            return -1;
    return 0;
}

int partition(run *run, file *files, size_t first, size_t count, uint64_t size) {
    class class = {.run = run, .files = files, .first = first, .count = count, .size = size};
    size_t table = 4;
    while (table < 2 * count)
        table *= 2;
    class.sources = malloc(count * sizeof *class.sources);
    class.order = malloc(count * sizeof *class.order);
    class.sorted = malloc(count * sizeof *class.sorted);
    class.content_of = malloc(count * sizeof *class.content_of);
    class.contents = malloc(count * sizeof *class.contents);
    class.table = malloc(table * sizeof *class.table);
    class.memory = malloc(run->memory + MAX_WINDOW);
    int failed = -1;
    if (class.sources && class.order && class.sorted && class.content_of && class.contents && class.table && class.memory) {
        failed = work(&class);
        for (size_t i = 0; failed && i < count; i++)
            settle(&class, i, STOPPED, 0);
    }
    free(class.sources);
    free(class.order);
    free(class.sorted);
    free(class.content_of);
    free(class.contents);
    free(class.table);
    free(class.memory);
    free(class.stack);
    return failed;
}
