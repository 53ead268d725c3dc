# shellcheck shell=bash
# shellcheck disable=SC2034  # serve waits so long
ready_seconds=120
serve 15672
api() { http "$1" "$2" -u guest:guest -H 'Content-Type: application/json' "${@:3}"; }
http 200 'RabbitMQ Management' /
http 200 'javascript' /js/main.js
http 200 'image/svg|image/png|PNG' /img/rabbitmqlogo.svg
http 401 'WWW-Authenticate|www-authenticate' /api/overview
api 201 '' -X PUT /api/vhosts/shop
api 201 '' -X PUT -d '{"password": "x", "tags": ""}' /api/users/app
api 201 '' -X PUT -d '{"configure": ".*", "write": ".*", "read": ".*"}' /api/permissions/shop/app
api 201 '' -X PUT -d '{"durable": true}' /api/queues/%2f/orders
api 201 '' -X PUT -d '{"durable": true, "arguments": {"x-queue-type": "quorum"}}' /api/queues/%2f/quorum
api 201 '' -X PUT -d '{"durable": true, "arguments": {"x-queue-type": "stream"}}' /api/queues/%2f/stream
for type in direct fanout topic headers; do
	api 201 '' -X PUT -d "{\"type\": \"$type\"}" "/api/exchanges/%2f/x-$type"
done
api 201 '' -d '{"routing_key": "orders", "arguments": {}}' /api/bindings/%2f/e/x-topic/q/orders
api 200 '"routed":true' -d '{"properties": {}, "routing_key": "orders", "payload": "Grüße", "payload_encoding": "string"}' /api/exchanges/%2f/x-topic/publish
api 200 'Grüße' -d '{"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto"}' /api/queues/%2f/orders/get
api 201 '' -X PUT -d '{"pattern": "^o", "definition": {"max-length": 9}}' /api/policies/%2f/short
api 200 '"name":"orders"' /api/definitions
api 404 'Object Not Found' /api/queues/%2f/nothing
api 400 'bad_request' -X PUT -d '{"durable' /api/queues/%2f/broken
is 'queues, by its own command' 'orders' inside rabbitmqctl list_queues
is 'status' 'Erlang' inside rabbitmqctl status
is 'a user' ^ inside rabbitmqctl add_user bob secret
is 'a plugin at run time' 'started|enabled' inside rabbitmq-plugins enable rabbitmq_shovel
is 'diagnostics' 'Ping succeeded' inside rabbitmq-diagnostics ping
is 'as JSON' '\[\{|\{"name"' inside rabbitmqctl --formatter json list_exchanges name type
is 'definitions' '"name":"orders"' inside rabbitmqctl -q export_definitions -
is 'listeners' '5672' inside rabbitmq-diagnostics listeners
is 'memory' 'binary' inside rabbitmq-diagnostics memory_breakdown
is 'a policy' 'Setting policy' inside rabbitmqctl set_policy long '^q' '{"max-length":9}'
is 'queues of a type' 'quorum' inside rabbitmq-queues quorum_status quorum
is 'evaluation' '42' inside rabbitmqctl eval '6 * 7.'
exits 'no such user' 67 'no_such_user|does not exist' inside rabbitmqctl delete_user nobody
stop
restart
api 200 '"name":"orders"' /api/queues/%2f/orders
stop
