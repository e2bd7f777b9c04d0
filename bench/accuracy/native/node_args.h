// Arguments in and results out for the suite's addons: thin, and for well-behaved callers only.

#ifndef NODE_ARGS_H
#define NODE_ARGS_H

#include <node_api.h>
#include <stdbool.h>
#include <string.h>

#define ARGUMENTS_MAX 4
#define TEXT_MAX 512

static inline void arguments(napi_env env, napi_callback_info info, napi_value *values) {
  size_t count = ARGUMENTS_MAX;
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
}

static inline int number_of(napi_env env, napi_value value) {
  int32_t number = 0;
  napi_get_value_int32(env, value, &number);
  return number;
}

static inline int first_number(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS_MAX];
  arguments(env, info, values);
  return number_of(env, values[0]);
}

static inline void text_of(napi_env env, napi_value value, char *text) {
  size_t length = 0;
  text[0] = 0;
  napi_get_value_string_utf8(env, value, text, TEXT_MAX, &length);
}

static inline napi_value to_number(napi_env env, int number) {
  napi_value value;
  napi_create_int32(env, number, &value);
  return value;
}

static inline void define(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function);
  napi_set_named_property(env, exports, name, function);
}

#endif
