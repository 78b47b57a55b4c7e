/* The core of the native engine without Python, to be run under sanitizers.

   harness ROOT LISTERS memory|pipe|abort|closed [EXCLUDED-NAME]

   Walks ROOT while another thread takes work away, poisons, asks and writes between the listers. What was taken away
   is handed in again. Prints the entries and the bytes of disk usage, every link counted, the root included.
   abort: stops as soon as something was listed. closed: nobody reads what is sent. */
#define _GNU_SOURCE 1
#include "_walk.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 1, DIRECTORIES = 2, STATUS = 4, SHORT_HEADER = 24, MEDDLINGS = 400 };

typedef struct run {
    walker walk;
    atomic_int is_done;
    pthread_mutex_t lock; /* the next two */
    column handed_back;   /* frames of directories, to be handed in again */
    uint32_t frames_back; /* so many so far */
    int is_over;          /* the meddler is done, all was quiet, and nothing was handed in since */
    unsigned long long entries, blocks;
    const char *excluded;
} run;

static uint64_t number(const unsigned char *at, size_t size) {
    uint64_t value = 0;
    memcpy(&value, at, size);
    return value;
}

static void must(int is_true, const char *what) {
    if (is_true)
        return;
    fprintf(stderr, "harness: %s: %s\n", what, strerror(errno));
    _exit(9);
}

static int exclude_by_name(void *context, const char *path, size_t path_length, const char *records,
                           size_t records_length, unsigned char *verdicts, size_t count) {
    const run *r = context;
    const char *at = records;
    must(strlen(path) == path_length && records[records_length - 1] == 0, "an exclusion is asked with a path and names");
    for (size_t i = 0; i < count; i++) {
        const char *name = at + 2;
        must(at[0] == 0 && (at[1] == 'd' || at[1] == 'f'), "each name has a kind");
        verdicts[i] = strcmp(name, r->excluded) == 0 ? VERDICT_EXCLUDE : VERDICT_KEEP;
        at = name + strlen(name);
    }
    must(at == records + records_length - 1, "there are as many names as verdicts");
    return 0;
}

/* Take the whole frames of a buffer; returns how many bytes they were. */
static size_t take_frames(run *r, const unsigned char *data, size_t length) {
    size_t at = 0;
    while (length - at >= SHORT_HEADER) {
        const unsigned char *frame = data + at;
        int type = frame[4];
        size_t size = number(frame + 16, 8);
        if (size > length - at)
            break;
        must(number(frame, 4) == 0x31424d53, "a frame begins with the magic");
        if (type == BATCH) {
            r->entries += number(frame + 12, 4);
            r->blocks += number(frame + 64, 8);
        } else if (type == DIRECTORIES) {
            pthread_mutex_lock(&r->lock);
            must(column_reserve(&r->handed_back, size) == 0, "realloc");
            memcpy(r->handed_back.data + r->handed_back.length, frame, size);
            r->handed_back.length += size;
            r->frames_back++;
            pthread_mutex_unlock(&r->lock);
        } else if (type == STATUS && number(frame + 12, 4)) {
            r->is_over = number(frame + 12, 4) == r->frames_back + 1;
        }
        at += size;
    }
    return at;
}

/* Hand in again what was handed back; returns how many frames that were since the beginning. */
static uint32_t hand_in(run *r) {
    pthread_mutex_lock(&r->lock);
    column frames = r->handed_back;
    uint32_t count = r->frames_back;
    r->handed_back = (column){0};
    pthread_mutex_unlock(&r->lock);
    for (size_t at = 0, size; at < frames.length; at += size) {
        const unsigned char *frame = frames.data + at;
        size = number(frame + 16, 8);
        must(walker_push(&r->walk, frame + SHORT_HEADER, size - SHORT_HEADER, (uint32_t)number(frame + 12, 4)) == 0,
             "what was handed back is taken again");
    }
    free(frames.data);
    return count;
}

/* All that needs a lock of the walker is done here: a reader that waited for one could wait for a lister that waits for
   the reader. */
static void *meddle(void *argument) {
    run *r = argument;
    unsigned char status[SHORT_HEADER] = {0x53, 0x4d, 0x42, 0x31, STATUS};
    int64_t since[64];
    identity current[64];
    status[16] = SHORT_HEADER;
    for (int i = 0; i < MEDDLINGS && !atomic_load(&r->is_done); i++) {
        walker_give(&r->walk, i % 7 == 0);
        must(walker_status(&r->walk, since, current, 64) <= 64, "no more listings than asked for");
        if (i % 50 == 0)
            must(walker_poison(&r->walk, 0, (uint64_t)i) == 0, "a directory is poisoned");
        if (i % 10 == 0)
            walker_send(&r->walk, status, sizeof status);
        hand_in(r);
    }
    /* What was sent before all was quiet is in the pipe before the word of it. */
    for (uint32_t said = 0; !atomic_load(&r->is_done); usleep(500)) {
        uint32_t now = hand_in(r) + 1;
        if (now == said || !walker_wait(&r->walk, 1000000))
            continue;
        memcpy(status + 12, &now, sizeof now);
        walker_send(&r->walk, status, sizeof status);
        said = now;
    }
    return NULL;
}

static void push_root(run *r, const struct stat *st) {
    waiting_record record = {.device = st->st_dev, .inode = st->st_ino};
    must(walker_push(&r->walk, &record, sizeof record, 1) == 0, "the root is taken");
    must(walker_push(&r->walk, &record, sizeof record - 1, 1) == EINVAL, "half a record is refused");
}

static void read_memory(run *r, int stops_early) {
    while (!r->is_over && !(stops_early && r->entries)) {
        size_t length;
        usleep(500);
        unsigned char *frames = walker_take(&r->walk, &length);
        must(take_frames(r, frames, length) == length, "memory holds whole frames");
        free(frames);
    }
}

static void read_pipe(run *r, int fd) {
    size_t capacity = 1 << 16, length = 0;
    unsigned char *data = malloc(capacity);
    must(data != NULL, "malloc");
    while (!r->is_over) {
        if (length == capacity)
            must((data = realloc(data, capacity *= 2)) != NULL, "realloc");
        ssize_t got = read(fd, data + length, capacity - length);
        must(got > 0, "the listers write");
        length += (size_t)got;
        size_t taken = take_frames(r, data, length);
        memmove(data, data + taken, length - taken);
        length -= taken;
    }
    free(data);
}

/* So that nobody waits for a reader. */
static void *drain(void *argument) {
    char data[4096];
    while (read(*(int *)argument, data, sizeof data) > 0)
        ;
    return NULL;
}

int main(int argc, char **argv) {
    must(argc == 4 || argc == 5, "usage");
    static run r = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const char *roots[] = {argv[1]}, *mode = argv[3];
    int pipes[2] = {-1, -1}, is_memory = !strcmp(mode, "memory") || !strcmp(mode, "abort");
    struct stat st;
    pthread_t meddler, drainer;
    must(stat(argv[1], &st) == 0, argv[1]);
    signal(SIGPIPE, SIG_IGN);
    if (!is_memory)
        must(pipe(pipes) == 0, "pipe");
    r.walk.list.read_times = 1;
    r.walk.max_depth = -1;
    r.walk.flush_entries = 16;
    r.walk.out.fd = pipes[1];
    if (argc == 5) {
        r.excluded = argv[4];
        r.walk.list.verdict = exclude_by_name;
        r.walk.list.context = &r;
    }
    must(walker_init(&r.walk, (uint32_t)atoi(argv[2]), 1, roots, 1) == 0, "init");
    if (!strcmp(mode, "closed"))
        close(pipes[0]);
    must(walker_start(&r.walk) == 0, "start");
    push_root(&r, &st);
    must(pthread_create(&meddler, NULL, meddle, &r) == 0, "thread");
    if (is_memory)
        read_memory(&r, !strcmp(mode, "abort"));
    else if (!strcmp(mode, "pipe"))
        read_pipe(&r, pipes[0]);
    atomic_store(&r.is_done, 1);
    if (!strcmp(mode, "pipe"))
        must(pthread_create(&drainer, NULL, drain, &pipes[0]) == 0, "thread");
    pthread_join(meddler, NULL);
    walker_stop(&r.walk);
    int failed = r.walk.failed;
    free(r.handed_back.data);
    walker_free(&r.walk);
    if (pipes[1] >= 0)
        close(pipes[1]);
    if (!strcmp(mode, "pipe"))
        pthread_join(drainer, NULL);
    if (!is_memory && strcmp(mode, "closed"))
        close(pipes[0]);
    printf("%llu %llu %d\n", r.entries, (r.blocks + (unsigned long long)st.st_blocks) * 512, failed);
    return 0;
}
