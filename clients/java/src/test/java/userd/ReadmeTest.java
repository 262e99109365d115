package userd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;

/** Every block of Java of the README is compiled; its application runs beside a real service and is called. */
class ReadmeTest {
    private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Pattern NAME = Pattern.compile("public class (\\w+)");

    private final HttpClient http = HttpClient.newHttpClient();

    @Test
    void theReadmeRunsAndItsPageIsProtected(@TempDir Path folder) throws Exception {
        String url = System.getenv("USERD_URL");
        String token = System.getenv("USERD_TOKEN");
        assertTrue(url != null && token != null, "run by clients/test, beside a service");
        compile(folder, url);
        try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()}, getClass().getClassLoader())) {
            var test = loader.loadClass("app.ClerkTest").getDeclaredMethod("aClerkComesInUntilTheSessionEnds");
            test.setAccessible(true);
            test.invoke(null);
            Thread.currentThread().setContextClassLoader(loader);
            SpringApplication application = new SpringApplication(loader.loadClass("app.Orders"));
            String[] quiet = {"--server.port=0", "--server.address=127.0.0.1", "--spring.main.banner-mode=off", "--logging.level.root=warn"};
            try (var running = (ServletWebServerApplicationContext) application.run(quiet)) {
                callThePage("http://127.0.0.1:" + running.getWebServer().getPort() + "/orders", url, token);
            }
        }
    }

    private void callThePage(String page, String url, String token) throws Exception {
        assertEquals(401, status("GET", page, null));
        assertEquals(401, status("GET", page, token + "x"));
        assertEquals(200, status("GET", page, token));
        assertEquals(403, status("DELETE", page, token));
        // From the sign-out on nobody is let in, within a second as a rule.
        assertEquals(204, status("POST", url + "/v1/auth/logout", token));
        long end = System.nanoTime() + 10_000_000_000L;
        while (status("GET", page, token) != 401) {
            assertTrue(System.nanoTime() < end, "still let in after ten seconds");
            Thread.sleep(20);
        }
    }

    private int status(String method, String url, String token) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url)).method(method, HttpRequest.BodyPublishers.noBody());
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return http.send(request.build(), BodyHandlers.discarding()).statusCode();
    }

    private static void compile(Path folder, String url) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("-d", folder.toString(), "-cp", System.getProperty("java.class.path")));
        arguments.addAll(List.of("-parameters", "-Xlint:all,-processing,-serial", "-Werror", "-proc:none"));
        int files = 0;
        for (Matcher block = BLOCK.matcher(Files.readString(Path.of("README.md"))); block.find(); files++) {
            String text = block.group(1).replace("https://users.example", url);
            Matcher name = NAME.matcher(text);
            assertTrue(name.find());
            // A scan of the unnamed package would be one of everything.
            Path file = Files.createDirectories(folder.resolve("app")).resolve(name.group(1) + ".java");
            Files.writeString(file, "package app;\n\n" + text);
            arguments.add(file.toString());
        }
        assertTrue(files >= 4);
        assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, arguments.toArray(String[]::new)));
    }
}
