/* Writes down what a process asks of the files of one folder, in order: what was written where, and what was synced.
 * Loaded by LD_PRELOAD in front of the C library, in tests only. `disk.rs` reads it and knows what a disk may keep.
 *
 * One lock around each call and its record: the order of the records is the order of the calls. Syncing is written down
 * and not done: the disk is one that is made up later. What is not known here ends the process, so that nothing is
 * missed in silence. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 65536
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static const char *folder;
static int records = -1;
static char *paths[FILES]; /* by descriptor; only files of the folder */

static void fail(const char *what) {
    fprintf(stderr, "recorder: %s\n", what);
    abort();
}

__attribute__((constructor)) static void start(void) {
    folder = getenv("RECORDER_FOLDER");
    const char *to = getenv("RECORDER_LOG");
    if (!folder || !to) fail("RECORDER_FOLDER and RECORDER_LOG");
    records = REAL(open64)(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (records < 0) fail("the log cannot be opened");
}

static int is_watched(const char *path) {
    size_t length = strlen(folder);
    return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

static const char *path_of(int fd) { return fd >= 0 && fd < FILES ? paths[fd] : NULL; }

/* Kind, file number, place, path, data. Whole or the process ends. */
static void record(char kind, uint64_t file, uint64_t place, const char *path, const void *data, uint32_t length) {
    struct __attribute__((packed)) {
        uint8_t kind;
        uint64_t file, place;
        uint16_t path;
        uint32_t data;
    } head = {(uint8_t)kind, file, place, (uint16_t)strlen(path), length};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)path, head.path}, {(void *)data, length}};
    ssize_t whole = (ssize_t)(sizeof head + head.path + length);
    if (REAL(writev)(records, parts, 3) != whole) fail("the log cannot be written");
}

static uint64_t number_of(int fd) {
    struct stat about;
    if (fstat(fd, &about)) fail("fstat");
    return about.st_ino;
}

static int opened(int fd, const char *path, int flags, int was_there) {
    if (fd < 0 || fd >= FILES) return fd;
    free(paths[fd]);
    paths[fd] = strdup(path);
    if (!was_there) record('c', number_of(fd), 0, path, NULL, 0);
    if (flags & O_TRUNC) record('t', number_of(fd), 0, path, NULL, 0);
    return fd;
}

#define OPEN(name)                                                            \
    int name(const char *path, int flags, ...) {                              \
        mode_t mode = 0;                                                      \
        if (flags & O_CREAT) {                                                \
            va_list rest;                                                     \
            va_start(rest, flags);                                            \
            mode = va_arg(rest, mode_t);                                      \
            va_end(rest);                                                     \
        }                                                                     \
        if (!folder || !is_watched(path)) return REAL(name)(path, flags, mode); \
        pthread_mutex_lock(&lock);                                            \
        int was_there = access(path, F_OK) == 0;                              \
        int fd = opened(REAL(name)(path, flags, mode), path, flags, was_there); \
        pthread_mutex_unlock(&lock);                                          \
        return fd;                                                            \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                          \
    int name(int at, const char *path, int flags, ...) {                      \
        va_list rest;                                                         \
        va_start(rest, flags);                                                \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;             \
        va_end(rest);                                                         \
        if (folder && is_watched(path)) fail(#name);                          \
        return REAL(name)(at, path, flags, mode);                             \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < FILES && paths[fd]) {
        free(paths[fd]);
        paths[fd] = NULL;
    }
    int done = REAL(close)(fd);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int fd, const void *data, size_t length) {
    if (!path_of(fd)) return REAL(write)(fd, data, length);
    pthread_mutex_lock(&lock);
    struct stat about;
    int appends = REAL(fcntl)(fd, F_GETFL) & O_APPEND;
    off_t place = appends && !fstat(fd, &about) ? about.st_size : lseek(fd, 0, SEEK_CUR);
    ssize_t done = REAL(write)(fd, data, length);
    if (done > 0) record('w', number_of(fd), (uint64_t)place, paths[fd], data, (uint32_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}

#define PWRITE(name)                                                          \
    ssize_t name(int fd, const void *data, size_t length, off_t place) {      \
        if (!path_of(fd)) return REAL(name)(fd, data, length, place);         \
        pthread_mutex_lock(&lock);                                            \
        ssize_t done = REAL(name)(fd, data, length, place);                   \
        if (done > 0) record('w', number_of(fd), (uint64_t)place, paths[fd], data, (uint32_t)done); \
        pthread_mutex_unlock(&lock);                                          \
        return done;                                                          \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define TRUNCATE(name)                                                        \
    int name(int fd, off_t length) {                                          \
        if (!path_of(fd)) return REAL(name)(fd, length);                      \
        pthread_mutex_lock(&lock);                                            \
        int done = REAL(name)(fd, length);                                    \
        if (!done) record('t', number_of(fd), (uint64_t)length, paths[fd], NULL, 0); \
        pthread_mutex_unlock(&lock);                                          \
        return done;                                                          \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define SYNC(name)                                                            \
    int name(int fd) {                                                        \
        if (!path_of(fd)) return REAL(name)(fd);                              \
        pthread_mutex_lock(&lock);                                            \
        record('s', number_of(fd), 0, paths[fd], NULL, 0);                    \
        pthread_mutex_unlock(&lock);                                          \
        return 0;                                                             \
    }
SYNC(fsync)
SYNC(fdatasync)

/* A call on two names or one, written down when it succeeded. */
#define ON_PATH(kind, path, other, call)                                      \
    if (!folder || !is_watched(path)) return call;                            \
    pthread_mutex_lock(&lock);                                                \
    int done = call;                                                          \
    if (!done) record(kind, 0, 0, path, other, (uint32_t)strlen(other));      \
    pthread_mutex_unlock(&lock);                                              \
    return done;

int unlink(const char *path) { ON_PATH('u', path, "", REAL(unlink)(path)) }
int mkdir(const char *path, mode_t mode) { ON_PATH('m', path, "", REAL(mkdir)(path, mode)) }
int rename(const char *path, const char *to) { ON_PATH('r', path, to, REAL(rename)(path, to)) }

/* Ways to write that this does not follow. The index of SQLite's log is mapped memory, made anew at each start. */
static int is_index(const char *path) {
    size_t length = strlen(path);
    return length > 4 && !strcmp(path + length - 4, "-shm");
}

#define MMAP(name)                                                            \
    void *name(void *at, size_t length, int allowed, int flags, int fd, off_t place) { \
        const char *path = path_of(fd);                                       \
        if (path && !is_index(path) && (allowed & PROT_WRITE) && (flags & MAP_SHARED)) fail(#name); \
        return REAL(name)(at, length, allowed, flags, fd, place);             \
    }
MMAP(mmap)
MMAP(mmap64)

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (path_of(fd)) fail("writev");
    return REAL(writev)(fd, parts, count);
}

int fallocate64(int fd, int mode, off_t place, off_t length) {
    if (path_of(fd)) fail("fallocate64");
    return REAL(fallocate64)(fd, mode, place, length);
}

int posix_fallocate64(int fd, off_t place, off_t length) {
    if (path_of(fd)) fail("posix_fallocate64");
    return REAL(posix_fallocate64)(fd, place, length);
}
