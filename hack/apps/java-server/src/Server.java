import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Answers /NAME?PARAMETERS with what Tools.NAME makes of them. */
public class Server {
    public static void main(String[] args) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/hello", e -> answer(e, 200, "Hello"));
        server.createContext("/", Server::handle);
        server.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> server.stop(0)));
    }

    static void handle(HttpExchange e) throws IOException {
        try {
            var method = Tools.class.getMethod(e.getRequestURI().getPath().substring(1), Map.class);
            answer(e, 200, (String) method.invoke(null, parameters(e.getRequestURI().getRawQuery())));
        } catch (NoSuchMethodException missing) {
            answer(e, 404, "no such tool");
        } catch (ReflectiveOperationException failed) {
            failed.getCause().printStackTrace();
            answer(e, 500, String.valueOf(failed.getCause()));
        }
    }

    static Map<String, String> parameters(String query) {
        return Stream.of((query == null ? "" : query).split("&")).filter(p -> p.contains("=")).map(p -> p.split("=", 2))
            .collect(Collectors.toMap(p -> p[0], p -> URLDecoder.decode(p[1], StandardCharsets.UTF_8)));
    }

    static void answer(HttpExchange e, int status, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        e.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        e.sendResponseHeaders(status, body.length);
        try (var out = e.getResponseBody()) {
            out.write(body);
        }
    }
}
