// Every way in which an addon can sleep on the caller's thread: sockets, locks, clocks, threads, children, names.

#define _GNU_SOURCE
#include "node_args.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void pause_ms(int ms) {
  struct timespec time = {ms / 1000, (ms % 1000) * 1000000L};
  nanosleep(&time, NULL);
}

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in address = {0};
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static int open_socket(int type, int port) {
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = loopback(port);
  connect(fd, (struct sockaddr *)&address, sizeof address);
  return fd;
}

static napi_value connect_tcp(napi_env env, napi_callback_info info) {
  return to_number(env, open_socket(SOCK_STREAM, first_number(env, info)));
}

static napi_value connect_udp(napi_env env, napi_callback_info info) {
  return to_number(env, open_socket(SOCK_DGRAM, first_number(env, info)));
}

static napi_value connect_unix(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  char path[TEXT_MAX];
  text_of(env, values[0], path);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  connect(fd, (struct sockaddr *)&address, sizeof address);
  return to_number(env, fd);
}

// A port whose queue is full, so that the next connect waits; a thread empties the queue after a while.
static int queue_fd = -1;

static void *empty_queue(void *after_ms) {
  pause_ms((int)(intptr_t)after_ms);
  for (int i = 0; i < 3; i++) accept(queue_fd, NULL, NULL);
  return NULL;
}

static napi_value full_port(napi_env env, napi_callback_info info) {
  int after_ms = first_number(env, info);
  queue_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  bind(queue_fd, (struct sockaddr *)&address, size);
  listen(queue_fd, 0);
  getsockname(queue_fd, (struct sockaddr *)&address, &size);
  for (int i = 0; i < 2; i++) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    connect(fd, (struct sockaddr *)&address, size);
  }
  pthread_t thread;
  pthread_create(&thread, NULL, empty_queue, (void *)(intptr_t)after_ms);
  pthread_detach(thread);
  return to_number(env, ntohs(address.sin_port));
}

static void ask(napi_env env, napi_value *values, int *fd) {
  char text[TEXT_MAX];
  *fd = number_of(env, values[0]);
  text_of(env, values[1], text);
  if (write(*fd, text, strlen(text)) < 0) perror("write");
}

static napi_value recv_reply(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  int fd;
  char byte;
  ask(env, values, &fd);
  return to_number(env, (int)recv(fd, &byte, 1, 0));
}

static napi_value read_reply(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  int fd;
  char byte;
  ask(env, values, &fd);
  return to_number(env, (int)read(fd, &byte, 1));
}

static int take(int fd) {
  char byte;
  return (int)recv(fd, &byte, 1, 0);
}

static napi_value poll_reply(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  int fd;
  ask(env, values, &fd);
  struct pollfd wanted = {fd, POLLIN, 0};
  poll(&wanted, 1, -1);
  return to_number(env, take(fd));
}

static napi_value select_reply(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  int fd;
  ask(env, values, &fd);
  fd_set wanted;
  FD_ZERO(&wanted);
  FD_SET(fd, &wanted);
  select(fd + 1, &wanted, NULL, NULL, NULL);
  return to_number(env, take(fd));
}

static napi_value epoll_reply(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  int fd;
  ask(env, values, &fd);
  int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  epoll_wait(set, &event, 1, -1);
  close(set);
  return to_number(env, take(fd));
}

static napi_value send_all(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  int fd;
  ask(env, values, &fd);
  size_t left = (size_t)number_of(env, values[2]);
  char *bytes = calloc(1, left);
  pause_ms(5);
  while (left > 0) {
    ssize_t sent = send(fd, bytes, left, 0);
    if (sent <= 0) break;
    left -= (size_t)sent;
  }
  free(bytes);
  return to_number(env, (int)left);
}

static napi_value lock_file(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  char path[TEXT_MAX];
  text_of(env, values[0], path);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  int result = flock(fd, LOCK_EX);
  close(fd);
  return to_number(env, result);
}

static napi_value lock_record(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  char path[TEXT_MAX];
  text_of(env, values[0], path);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int result = fcntl(fd, F_SETLKW, &lock);
  close(fd);
  return to_number(env, result);
}

// For another process than the one that waits: takes the lock and keeps it. (path, is it a record lock?)
static napi_value keep_lock(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  char path[TEXT_MAX];
  bool is_record = false;
  text_of(env, values[0], path);
  napi_get_value_bool(env, values[1], &is_record);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return to_number(env, is_record ? fcntl(fd, F_SETLKW, &lock) : flock(fd, LOCK_EX));
}

static napi_value open_fifo(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  char path[TEXT_MAX];
  text_of(env, values[0], path);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  close(fd);
  return to_number(env, fd);
}

static napi_value nap(napi_env env, napi_callback_info info) {
  pause_ms(first_number(env, info));
  return NULL;
}

static napi_value many_naps(napi_env env, napi_callback_info info) {
  int ms = first_number(env, info);
  for (int i = 0; i < ms; i += 5) pause_ms(5);
  return NULL;
}

// A thread that holds what the caller waits for.
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static bool is_over;
static sem_t semaphore, taken;

static void *hold_mutex(void *ms) {
  pthread_mutex_lock(&mutex);
  sem_post(&taken);
  pause_ms((int)(intptr_t)ms);
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static void *signal_later(void *ms) {
  pause_ms((int)(intptr_t)ms);
  pthread_mutex_lock(&mutex);
  is_over = true;
  pthread_cond_signal(&condition);
  pthread_mutex_unlock(&mutex);
  sem_post(&semaphore);
  return NULL;
}

static pthread_t start(void *(*work)(void *), int ms) {
  pthread_t thread;
  pthread_create(&thread, NULL, work, (void *)(intptr_t)ms);
  return thread;
}

static napi_value lock_mutex(napi_env env, napi_callback_info info) {
  sem_init(&taken, 0, 0);
  pthread_t thread = start(hold_mutex, first_number(env, info));
  sem_wait(&taken);
  pthread_mutex_lock(&mutex);
  pthread_mutex_unlock(&mutex);
  pthread_detach(thread);
  return NULL;
}

static napi_value wait_condition(napi_env env, napi_callback_info info) {
  is_over = false;
  pthread_t thread = start(signal_later, first_number(env, info));
  pthread_mutex_lock(&mutex);
  while (!is_over) pthread_cond_wait(&condition, &mutex);
  pthread_mutex_unlock(&mutex);
  pthread_detach(thread);
  return NULL;
}

static napi_value wait_semaphore(napi_env env, napi_callback_info info) {
  sem_init(&semaphore, 0, 0);
  pthread_t thread = start(signal_later, first_number(env, info));
  sem_wait(&semaphore);
  pthread_detach(thread);
  return NULL;
}

static napi_value join_thread(napi_env env, napi_callback_info info) {
  pthread_join(start(signal_later, first_number(env, info)), NULL);
  return NULL;
}

static napi_value wait_child(napi_env env, napi_callback_info info) {
  char seconds[32];
  snprintf(seconds, sizeof seconds, "%.3f", first_number(env, info) / 1000.0);
  char *command[] = {"sleep", seconds, NULL};
  pid_t pid;
  if (posix_spawnp(&pid, "sleep", NULL, NULL, command, environ) == 0) waitpid(pid, NULL, 0);
  return NULL;
}

// Asks the DNS server at the given port of this machine.
static napi_value look_up(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  char name[TEXT_MAX];
  text_of(env, values[0], name);
  res_init();
  _res.nscount = 1;
  _res.nsaddr_list[0] = loopback(number_of(env, values[1]));
  struct addrinfo hints = {.ai_family = AF_INET}, *found = NULL;
  int result = getaddrinfo(name, NULL, &hints, &found);
  if (found != NULL) freeaddrinfo(found);
  return to_number(env, result);
}

NAPI_MODULE_INIT() {
  define(env, exports, "connectTcp", connect_tcp);
  define(env, exports, "connectUdp", connect_udp);
  define(env, exports, "connectUnix", connect_unix);
  define(env, exports, "fullPort", full_port);
  define(env, exports, "recvReply", recv_reply);
  define(env, exports, "readReply", read_reply);
  define(env, exports, "pollReply", poll_reply);
  define(env, exports, "selectReply", select_reply);
  define(env, exports, "epollReply", epoll_reply);
  define(env, exports, "sendAll", send_all);
  define(env, exports, "lockFile", lock_file);
  define(env, exports, "lockRecord", lock_record);
  define(env, exports, "keepLock", keep_lock);
  define(env, exports, "openFifo", open_fifo);
  define(env, exports, "nap", nap);
  define(env, exports, "manyNaps", many_naps);
  define(env, exports, "lockMutex", lock_mutex);
  define(env, exports, "waitCondition", wait_condition);
  define(env, exports, "waitSemaphore", wait_semaphore);
  define(env, exports, "joinThread", join_thread);
  define(env, exports, "waitChild", wait_child);
  define(env, exports, "lookUp", look_up);
  return exports;
}
