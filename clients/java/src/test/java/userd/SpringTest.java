package userd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.web.SecurityFilterChain;
import userd.spring.UserdSecurity;

/** What callers of a Spring application see while nobody can tell whether a token is good. */
class SpringTest {
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Away {
        @Bean
        SecurityFilterChain security(HttpSecurity http) throws Exception {
            Userd away = Userd.of("http://127.0.0.1:1").timeout(Duration.ofMillis(200)).build();
            return UserdSecurity.apply(http, away)
                    .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
                    .build();
        }
    }

    @Test
    void callersAreAnswered503AndWhenToComeAgain() throws Exception {
        SpringApplication application = new SpringApplication(Away.class);
        String[] quiet = {"--server.port=0", "--server.address=127.0.0.1", "--spring.main.banner-mode=off", "--logging.level.root=warn"};
        try (var running = (ServletWebServerApplicationContext) application.run(quiet)) {
            URI page = URI.create("http://127.0.0.1:" + running.getWebServer().getPort() + "/");
            HttpRequest.Builder request = HttpRequest.newBuilder(page);
            HttpClient http = HttpClient.newHttpClient();
            assertEquals(401, http.send(request.build(), BodyHandlers.discarding()).statusCode());
            request.header("Authorization", "Bearer " + new FakeIssuer().token().mint());
            HttpResponse<Void> answer = http.send(request.build(), BodyHandlers.discarding());
            assertEquals(503, answer.statusCode());
            assertEquals("1", answer.headers().firstValue("retry-after").orElse(""));
        }
    }
}
