// A shared library without any Node-API, to be called through FFI.

#include <stdint.h>
#include <time.h>
#include <unistd.h>

static volatile uint64_t sink;

int plain_compute(int ms) {
  struct timespec now, start;
  clock_gettime(CLOCK_MONOTONIC, &start);
  do {
    for (int i = 0; i < 20000; i++) sink = sink * 6364136223846793005ULL + 1442695040888963407ULL;
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
  return ms;
}

// Not the last thing it does: a call at the very end would leave no frame of this function.
int plain_sleep(int ms) {
  int result = usleep((useconds_t)ms * 1000);
  sink += (uint64_t)result;
  return result;
}
