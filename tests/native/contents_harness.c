/* `contents_harness MEMORY OPEN_FILES DIRECTORY NAME...`: tells files of one size apart, and prints state and part. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "_partition.h"

enum { THREADS = 3 };

typedef struct {
    run run;
    file *files;
    size_t count;
    uint64_t size;
    int failed;
} job;

static void *work(void *given) {
    job *job = given;
    job->failed = partition(&job->run, job->files, 0, job->count, job->size);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc < 5)
        return 2;
    char names[1 << 16] = "";
    size_t count = (size_t)argc - 4, length = 0;
    counters counters = {0, 0, 0, 0};
    job jobs[THREADS];
    pthread_t threads[THREADS];
    struct stat status;
    memset(&status, 0, sizeof status);
    for (int t = 0; t < THREADS; t++) {
        jobs[t] = (job){.run = {.place = {argv[3], names, &counters}, .memory = (size_t)atol(argv[1]), .mask = -1}, .count = count};
        jobs[t].run.open_files = (size_t)atol(argv[2]);
        jobs[t].files = calloc(count, sizeof(file));
        if (!jobs[t].files)
            return 3;
    }
    for (size_t i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[3], argv[4 + i]);
        size_t own = strlen(argv[4 + i]);
        memcpy(names + length, argv[4 + i], own);
        int is_there = stat(path, &status) == 0;
        for (int t = 0; t < THREADS; t++)
            jobs[t].files[i] = (file){.name = (int64_t)length,
                                      .name_length = (int32_t)own,
                                      .device = is_there ? status.st_dev : 0,
                                      .inode = is_there ? status.st_ino : 0};
        length += own;
    }
    for (int t = 0; t < THREADS; t++) {
        jobs[t].size = (uint64_t)status.st_size;
        pthread_create(&threads[t], NULL, work, &jobs[t]);
    }
    int differs = 0;
    for (int t = 0; t < THREADS; t++) {
        pthread_join(threads[t], NULL);
        for (size_t i = 0; i < count; i++)
            differs |= jobs[t].failed || jobs[t].files[i].state != jobs[0].files[i].state ||
                       jobs[t].files[i].part != jobs[0].files[i].part;
    }
    for (size_t i = 0; i < count; i++)
        printf("%d %" PRIu32 "\n", (int)jobs[0].files[i].state, jobs[0].files[i].part);
    for (int t = 0; t < THREADS; t++) {
        free(jobs[t].files);
        free(jobs[t].run.found.marks);
    }
    return differs;
}
