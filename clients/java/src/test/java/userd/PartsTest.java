package userd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtException;
import userd.spring.UserdJwtDecoder;
import userd.spring.UserdSecurity;

/** The parts alone; the conformance suite has the rest. */
class PartsTest {
    private final FakeIssuer issuer = new FakeIssuer();

    @Test
    void guardsAskForOneRoleAndForAllPermissions() {
        Token clerk = issuer.userd().verify(issuer.token().roles("clerk").permissions("orders.read").mint());
        clerk.requireRole("boss", "clerk");
        clerk.requirePermission("orders.read");
        assertThrows(ForbiddenException.class, () -> clerk.requireRole("boss"));
        assertThrows(ForbiddenException.class, () -> clerk.requirePermission("orders.read", "orders.write"));
        assertEquals(403, assertThrows(ForbiddenException.class, () -> clerk.requireRole()).status());
        assertTrue(issuer.userd().verify(issuer.token().service("billing").mint()).isService());
    }

    @Test
    void aRoleThatAllowsLessEndsTheTokensMadeBeforeAndNoneAfter() {
        Userd userd = issuer.userd();
        String before = issuer.token().roles("reader", "clerk").mint();
        String reader = issuer.token().roles("reader").mint();
        assertEquals(Map.of("reader", 1L, "clerk", 1L), userd.verify(before).roleVersions());
        issuer.narrowRole("clerk");
        assertEquals("revoked", assertThrows(InvalidTokenException.class, () -> userd.verify(before)).reason());
        userd.verify(reader).requireRole("reader");
        assertEquals(Map.of("clerk", 2L), userd.verify(issuer.token().roles("clerk").mint()).roleVersions());
    }

    @Test
    void headersWithoutATokenAreTold() {
        Userd userd = issuer.userd();
        for (String header : new String[] {null, "", "Bearer", "Bearer ", "Basic abc", "Bearer a b"}) {
            assertEquals("missing", assertThrows(InvalidTokenException.class, () -> userd.authenticate(header)).reason());
        }
        userd.authenticate("bearer " + issuer.token().mint());
    }

    @Test
    void springSeesRolesAndPermissionsAsAuthorities() {
        UserdJwtDecoder decoder = new UserdJwtDecoder(issuer.userd());
        Jwt jwt = decoder.decode(issuer.token().subject("u1").roles("clerk").permissions("orders.read").session("s1").mint());
        var authentication = UserdSecurity.converter().convert(jwt);
        assertEquals("u1", authentication.getName());
        assertEquals(
                List.of("ROLE_clerk", "orders.read"),
                authentication.getAuthorities().stream().map(Object::toString).sorted().toList());
        issuer.endSession("s1");
        assertThrows(BadJwtException.class, () -> decoder.decode(jwt.getTokenValue()));
        assertThrows(BadJwtException.class, () -> decoder.decode("nonsense"));
    }

    @Test
    void springIsToldApartThatNobodyCanTell() {
        Userd away = Userd.of("http://127.0.0.1:1").client("id", "secret").timeout(Duration.ofMillis(200)).build();
        JwtException thrown = assertThrows(JwtException.class, () -> new UserdJwtDecoder(away).decode(issuer.token().mint()));
        assertFalse(thrown instanceof BadJwtException);
        away.close();
    }

    @Test
    void aRememberedTokenExpiresAllTheSameAndMoreThanAreRememberedAreVerified() throws Exception {
        Userd userd = Userd.of("https://users.test").keys(issuer.keys()).leeway(Duration.ZERO).maxTokens(2).build();
        String brief = issuer.token().expiresIn(Duration.ofSeconds(1)).mint();
        for (String token : List.of(brief, issuer.token().mint(), issuer.token().mint(), issuer.token().mint())) {
            userd.verify(token);
        }
        long end = System.nanoTime() + 5_000_000_000L;
        String reason = "";
        while (reason.isEmpty() && System.nanoTime() < end) {
            try {
                userd.verify(brief);
                Thread.sleep(20);
            } catch (InvalidTokenException invalid) {
                reason = invalid.reason();
            }
        }
        assertEquals("expired", reason);
    }

    @Test
    void manyThreadsVerifyAtOnce() throws Exception {
        Userd userd = issuer.userd();
        ExecutorService pool = Executors.newFixedThreadPool(16);
        List<Callable<Token>> work = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            String token = issuer.token().mint();
            work.add(() -> userd.verify(token));
            work.add(() -> userd.verify(token));
        }
        for (Future<Token> done : pool.invokeAll(work)) {
            assertEquals("userd", done.get().clientId());
        }
        pool.shutdown();
    }

    @Test
    void aCursorInAFileOutlivesTheProcess(@TempDir Path folder) throws Exception {
        Path path = folder.resolve("cursor");
        assertNull(CursorStore.inFile(path).load());
        CursorStore.inFile(path).save("a");
        CursorStore.inFile(path).save("b");
        assertEquals("b", CursorStore.inFile(path).load());
        try (var files = Files.list(folder)) {
            assertEquals(1, files.count());
        }
    }

    @Test
    void whatCannotWorkIsRefused() {
        List<UnaryOperator<UserdBuilder>> wrong = List.of(
                builder -> builder.audience(""),
                builder -> builder.client("x", ""),
                builder -> builder.leeway(Duration.ofSeconds(61)),
                builder -> builder.wait(Duration.ofSeconds(30)),
                builder -> builder.maxAge(Duration.ofSeconds(5)),
                builder -> builder.maxEntries(0),
                builder -> builder.keys(Map.of()));
        for (UnaryOperator<UserdBuilder> change : wrong) {
            UserdBuilder builder = change.apply(Userd.of("https://users.example"));
            assertThrows(IllegalArgumentException.class, builder::build);
        }
        assertThrows(IllegalArgumentException.class, () -> Userd.of("users.example").build());
        assertThrows(IllegalArgumentException.class, () -> new Webhook());
        assertThrows(IllegalArgumentException.class, () -> new Webhook("whsec_"));
    }

    @Test
    void secretsAndClaimsAreNotPrinted() {
        Token token = issuer.userd().verify(issuer.token().claim("email", "me@example.org").mint());
        assertFalse(token.toString().contains("me@example.org"));
        Duration second = Duration.ofSeconds(1);
        Settings settings = new Settings(
                "https://u", "a", "", "id", "hidden", "userd", second, WhenStale.ACCEPT, second.multipliedBy(9), second, second, 16, 1,
                null);
        assertFalse(settings.toString().contains("hidden"));
    }

    @Test
    void whatUserdRefusesSaysWhyAndAWrongSecretIsAnErrorOfItsOwn() throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        Map<String, String> answers = Map.of(
                "/oauth2/token", "200 {\"access_token\": \"own\", \"expires_in\": 600}",
                "/v1/users", "422 {\"title\": \"Not accepted\", \"errors\": [{\"pointer\": \"/email\", \"detail\": \"is none\"}]}",
                "/wrong/oauth2/token", "401 {\"error\": \"invalid_client\"}");
        server.createContext("/", exchange -> {
            String answer = answers.getOrDefault(exchange.getRequestURI().getPath(), "404 {}");
            byte[] body = answer.substring(4).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(Integer.parseInt(answer.substring(0, 3)), body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        String url = "http://127.0.0.1:" + server.getAddress().getPort();
        try (Userd userd = Userd.of(url).client("id", "secret").build();
                Userd wrong = Userd.of(url + "/wrong").client("id", "hidden").build()) {
            RefusedException refused = assertThrows(RefusedException.class, () -> userd.call("POST", "/v1/users", Map.of()));
            assertTrue(refused.getMessage().endsWith("422: Not accepted; /email is none"), refused.getMessage());
            assertEquals("Not accepted", refused.problem().get("title"));
            CredentialsException credentials = assertThrows(CredentialsException.class, wrong::token);
            assertTrue(credentials.getMessage().endsWith(": invalid_client"), credentials.getMessage());
        } finally {
            server.stop(0);
        }
    }

    @Test
    void anIssuerThatDiffersIsSaidWithBoth() {
        Userd userd = Userd.of("https://users.test/").keys(issuer.keys()).build();
        InvalidTokenException wrong = assertThrows(InvalidTokenException.class, () -> userd.verify(issuer.token().mint()));
        assertEquals("issuer", wrong.reason());
        assertTrue(wrong.getMessage().endsWith("/\"; they are compared letter by letter"), wrong.getMessage());
    }
}
