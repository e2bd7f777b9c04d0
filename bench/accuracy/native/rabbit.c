// librabbitmq's synchronous client: connecting waits until the broker introduces itself.

#include "node_args.h"
#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_tcp_socket.h>
#endif

// (port, asks): opens a connection and logs in. The broker's answer decides what it returns.
static napi_value log_in(napi_env env, napi_callback_info info) {
  amqp_connection_state_t connection = amqp_new_connection();
  amqp_socket_t *socket = amqp_tcp_socket_new(connection);
  int status = amqp_socket_open(socket, "127.0.0.1", first_number(env, info));
  if (status == 0) {
    amqp_rpc_reply_t reply =
        amqp_login(connection, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
    status = reply.reply_type;
  }
  amqp_destroy_connection(connection);
  return to_number(env, status);
}

NAPI_MODULE_INIT() {
  define(env, exports, "logIn", log_in);
  return exports;
}
