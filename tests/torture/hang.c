/* Preloaded with LD_PRELOAD: writes and syncs block while the file named by AUDIT_TEST_HANG
   exists, as on a disk that does not respond. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static void hang(void) {
    const char *path = getenv("AUDIT_TEST_HANG");
    while (path != NULL && access(path, F_OK) == 0) {
        usleep(500);
    }
}

int fdatasync(int file) {
    hang();
    return syscall(SYS_fdatasync, file);
}

int fsync(int file) {
    hang();
    return syscall(SYS_fsync, file);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) {
    hang();
    return syscall(SYS_pwrite64, file, bytes, length, at);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) {
    return pwrite64(file, bytes, length, at);
}
