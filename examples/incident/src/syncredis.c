// A synchronous Redis client for Node, as the founding incident had one: libhiredis behind Node-API.
// Every call writes a command to the socket and blocks the calling thread until the reply is there.
// That is the example's bug. All other behaviour is careful: no crash on a lost connection, time-outs on
// everything, errors as JavaScript exceptions.
//
// Exports: connect(host, port, connectMs, commandMs) -> connection; close(connection);
//          get(connection, key) -> string | null; ttl(connection, key) -> seconds;
//          blpop(connection, key, seconds) -> string | null; rpush(connection, key, value) -> length

#include <hiredis/hiredis.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define TEXT_MAX 1024
#define ARGUMENTS_MAX 4

// What JavaScript holds. The context is NULL once the connection was closed or lost.
typedef struct {
  redisContext *redis;
} Connection;

static napi_value throw_error(napi_env env, const char *message) {
  napi_throw_error(env, "ERR_SYNCREDIS", message);
  return NULL;
}

static struct timeval from_milliseconds(uint32_t milliseconds) {
  struct timeval time = {milliseconds / 1000, (milliseconds % 1000) * 1000};
  return time;
}

static void drop(Connection *connection) {
  if (connection->redis != NULL) redisFree(connection->redis);
  connection->redis = NULL;
}

static void finalize_connection(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  drop(data);
  free(data);
}

// Reads exactly `count` arguments; throws and returns false when there are fewer.
static bool read_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  size_t given = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) != napi_ok) return false;
  if (given >= count) return true;
  throw_error(env, "too few arguments");
  return false;
}

static bool read_text(napi_env env, napi_value value, char *text) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    throw_error(env, "a string was expected");
    return false;
  }
  if (length >= TEXT_MAX) {
    throw_error(env, "the string is too long");
    return false;
  }
  return napi_get_value_string_utf8(env, value, text, TEXT_MAX, &length) == napi_ok;
}

static bool read_number(napi_env env, napi_value value, uint32_t *number) {
  if (napi_get_value_uint32(env, value, number) == napi_ok) return true;
  throw_error(env, "a number was expected");
  return false;
}

static Connection *read_connection(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  void *data = NULL;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external ||
      napi_get_value_external(env, value, &data) != napi_ok) {
    throw_error(env, "a connection was expected");
    return NULL;
  }
  Connection *connection = data;
  if (connection->redis != NULL) return connection;
  throw_error(env, "the connection is closed");
  return NULL;
}

static napi_value connect_to(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  char host[TEXT_MAX];
  uint32_t port, connect_ms, command_ms;
  if (!read_arguments(env, info, 4, values) || !read_text(env, values[0], host) ||
      !read_number(env, values[1], &port) || !read_number(env, values[2], &connect_ms) ||
      !read_number(env, values[3], &command_ms)) {
    return NULL;
  }
  redisContext *redis = redisConnectWithTimeout(host, (int)port, from_milliseconds(connect_ms));
  if (redis == NULL) return throw_error(env, "out of memory");
  if (redis->err != 0 || redisSetTimeout(redis, from_milliseconds(command_ms)) != REDIS_OK) {
    throw_error(env, redis->err != 0 ? redis->errstr : "the time-out was refused");
    redisFree(redis);
    return NULL;
  }
  Connection *connection = calloc(1, sizeof *connection);
  napi_value result = NULL;
  if (connection != NULL) connection->redis = redis;
  if (connection == NULL ||
      napi_create_external(env, connection, finalize_connection, NULL, &result) != napi_ok) {
    redisFree(redis);
    free(connection);
    return throw_error(env, "out of memory");
  }
  return result;
}

static napi_value close_connection(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  if (!read_arguments(env, info, 1, values)) return NULL;
  Connection *connection = read_connection(env, values[0]);
  if (connection != NULL) drop(connection);
  return NULL;
}

// After an I/O error hiredis allows no further command: the connection is dropped, and JavaScript is told.
static redisReply *check(napi_env env, Connection *connection, redisReply *reply) {
  if (reply == NULL) {
    char message[sizeof connection->redis->errstr];
    memcpy(message, connection->redis->errstr, sizeof message);
    drop(connection);
    throw_error(env, message[0] != '\0' ? message : "the connection was lost");
    return NULL;
  }
  if (reply->type != REDIS_REPLY_ERROR) return reply;
  throw_error(env, reply->str);
  freeReplyObject(reply);
  return NULL;
}

// The text of a reply as a string, its number as a number, anything else as null. Frees the reply.
static napi_value to_value(napi_env env, redisReply *reply, const redisReply *part) {
  napi_value result = NULL;
  if (part->type == REDIS_REPLY_STRING || part->type == REDIS_REPLY_STATUS) {
    napi_create_string_utf8(env, part->str, part->len, &result);
  } else if (part->type == REDIS_REPLY_INTEGER) {
    napi_create_int64(env, part->integer, &result);
  } else {
    napi_get_null(env, &result);
  }
  freeReplyObject(reply);
  return result;
}

static napi_value get(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  char key[TEXT_MAX];
  if (!read_arguments(env, info, 2, values) || !read_text(env, values[1], key)) return NULL;
  Connection *connection = read_connection(env, values[0]);
  if (connection == NULL) return NULL;
  redisReply *reply = check(env, connection, redisCommand(connection->redis, "GET %s", key));
  return reply == NULL ? NULL : to_value(env, reply, reply);
}

static napi_value ttl(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  char key[TEXT_MAX];
  if (!read_arguments(env, info, 2, values) || !read_text(env, values[1], key)) return NULL;
  Connection *connection = read_connection(env, values[0]);
  if (connection == NULL) return NULL;
  redisReply *reply = check(env, connection, redisCommand(connection->redis, "TTL %s", key));
  return reply == NULL ? NULL : to_value(env, reply, reply);
}

static napi_value blpop(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  char key[TEXT_MAX];
  uint32_t seconds;
  if (!read_arguments(env, info, 3, values) || !read_text(env, values[1], key) ||
      !read_number(env, values[2], &seconds)) {
    return NULL;
  }
  Connection *connection = read_connection(env, values[0]);
  if (connection == NULL) return NULL;
  redisReply *reply =
      check(env, connection, redisCommand(connection->redis, "BLPOP %s %u", key, seconds));
  if (reply == NULL) return NULL;
  // A pair of key and value, or nil when the time was up.
  bool is_pair = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2;
  return to_value(env, reply, is_pair ? reply->element[1] : reply);
}

static napi_value rpush(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  char key[TEXT_MAX], item[TEXT_MAX];
  if (!read_arguments(env, info, 3, values) || !read_text(env, values[1], key) ||
      !read_text(env, values[2], item)) {
    return NULL;
  }
  Connection *connection = read_connection(env, values[0]);
  if (connection == NULL) return NULL;
  redisReply *reply =
      check(env, connection, redisCommand(connection->redis, "RPUSH %s %s", key, item));
  return reply == NULL ? NULL : to_value(env, reply, reply);
}

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback callback;
  } functions[] = {
      {"connect", connect_to}, {"close", close_connection}, {"get", get},
      {"ttl", ttl},            {"blpop", blpop},            {"rpush", rpush},
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].callback, NULL,
                             &function) != napi_ok ||
        napi_set_named_property(env, exports, functions[i].name, function) != napi_ok) {
      return NULL;
    }
  }
  return exports;
}
