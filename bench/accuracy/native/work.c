// An addon that computes: on the caller's thread, in methods, back and forth with JavaScript, and, as it should be,
// on the thread pool. Also one that touches memory which is on disk.

#define _GNU_SOURCE
#include "node_args.h"
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static volatile uint64_t sink;

static int64_t now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

static __attribute__((noinline)) void grind(int ms) {
  int64_t end = now_us() + ms * 1000LL;
  while (now_us() < end) {
    for (int i = 0; i < 20000; i++) sink = sink * 6364136223846793005ULL + 1442695040888963407ULL;
  }
}

static napi_value compute(napi_env env, napi_callback_info info) {
  grind(first_number(env, info));
  return NULL;
}

// Half of it computes, and half of it waits for a byte from the peer: (fd, text, ms of computing).
static napi_value compute_and_recv(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  char text[TEXT_MAX], byte;
  int fd = number_of(env, values[0]);
  text_of(env, values[1], text);
  grind(number_of(env, values[2]));
  if (write(fd, text, strlen(text)) < 0) return NULL;
  return to_number(env, (int)recv(fd, &byte, 1, 0));
}

static napi_value call_back(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX], undefined, result;
  arguments(env, info, values);
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, values[0], 0, NULL, &result);
  return NULL;
}

// Touches every page of a file in an order that no reading ahead foresees.
static napi_value touch_pages(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  char path[TEXT_MAX];
  text_of(env, values[0], path);
  int64_t end = now_us() + number_of(env, values[1]) * 1000LL;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  off_t size = lseek(fd, 0, SEEK_END);
  char *bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
  if (bytes == MAP_FAILED) return NULL;
  madvise(bytes, (size_t)size, MADV_RANDOM);
  uint64_t pages = (uint64_t)size / 4096, page = 0;
  for (uint64_t i = 0; i < pages && now_us() < end; i++) {
    page = (page + 7919) % pages;
    sink += (uint64_t)bytes[page * 4096];
  }
  munmap(bytes, (size_t)size);
  close(fd);
  return NULL;
}

// Writes a file out and drops it from the page cache.
static napi_value evict(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  char path[TEXT_MAX];
  text_of(env, values[0], path);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  fsync(fd);
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  close(fd);
  return NULL;
}

// The thread pool does it; (ms, does it compute?, callback).
typedef struct {
  int ms;
  bool computes;
  napi_ref callback;
  napi_async_work work;
} Task;

static void execute(napi_env env, void *data) {
  (void)env;
  Task *task = data;
  if (task->computes) {
    grind(task->ms);
  } else {
    usleep((useconds_t)task->ms * 1000);
  }
}

static void complete(napi_env env, napi_status status, void *data) {
  (void)status;
  Task *task = data;
  napi_value callback, undefined, result;
  napi_get_undefined(env, &undefined);
  napi_get_reference_value(env, task->callback, &callback);
  napi_delete_reference(env, task->callback);
  napi_delete_async_work(env, task->work);
  free(task);
  napi_call_function(env, undefined, callback, 0, NULL, &result);
}

static napi_value in_pool(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX], name;
  arguments(env, info, values);
  Task *task = calloc(1, sizeof *task);
  task->ms = number_of(env, values[0]);
  napi_get_value_bool(env, values[1], &task->computes);
  napi_create_reference(env, values[2], 1, &task->callback);
  napi_create_string_utf8(env, "in_pool", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, NULL, name, execute, complete, task, &task->work);
  napi_queue_async_work(env, task->work);
  return NULL;
}

static napi_value construct(napi_env env, napi_callback_info info) {
  napi_value self;
  napi_get_cb_info(env, info, NULL, NULL, &self, NULL);
  return self;
}

static napi_value engine_class(napi_env env) {
  // As node-addon-api defines methods by default: neither writable nor configurable.
  napi_property_descriptor methods[] = {
      {"compute", NULL, compute, NULL, NULL, NULL, napi_default, NULL},
      {"computeAndRecv", NULL, compute_and_recv, NULL, NULL, NULL, napi_default, NULL},
  };
  napi_value engine;
  napi_define_class(env, "Engine", NAPI_AUTO_LENGTH, construct, NULL, 2, methods, &engine);
  return engine;
}

NAPI_MODULE_INIT() {
  define(env, exports, "compute", compute);
  define(env, exports, "computeAndRecv", compute_and_recv);
  define(env, exports, "callBack", call_back);
  define(env, exports, "touchPages", touch_pages);
  define(env, exports, "evict", evict);
  define(env, exports, "inPool", in_pool);
  napi_set_named_property(env, exports, "Engine", engine_class(env));
  return exports;
}
