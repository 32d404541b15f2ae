package io.matryoshka.sae.internal.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.serve.view.Limits;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls of other pages, of other machines, and calls that ask for what nobody should get. */
class ServedSafetyTest {

  private static final String KEY = ServedBookworm.KEY;
  private static final String TOKEN = "a-token";

  @TempDir private static Path folder;
  private static ServedBookworm served;

  @BeforeAll
  static void start() throws IOException {
    served = ServedBookworm.start(folder);
  }

  @AfterAll
  static void stop() throws IOException {
    served.close();
  }

  /** Sends a request as it stands, which a proper client would not. */
  private static String raw(String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), served.port())) {
      socket.setSoTimeout(60_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().flush();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static String get(String path, String... headers) throws IOException {
    return raw(
        "GET "
            + path
            + " HTTP/1.1\r\n"
            + String.join("\r\n", headers)
            + "\r\nConnection: close\r\n\r\n");
  }

  private static String own() {
    return "127.0.0.1:" + served.port();
  }

  private static JsonNode error(HttpResponse<String> answer) throws IOException {
    return ServedBookworm.json(answer.body()).get("error");
  }

  @Test
  void ownNames_areAnswered() throws IOException {
    for (String name : new String[] {"127.0.0.1", "localhost", "LocalHost", "[::1]"}) {
      assertThat(get("/api/state", "X-Matryoshka: 1", "Host: " + name + ":" + served.port()))
          .startsWith("HTTP/1.1 200");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Host: evil.example:%d",
        "Host: 127.0.0.1.evil.example:%d",
        "Host: localhost",
        "Host: localhost:1",
        "Host: 192.168.0.1:%d",
        "Host: localhost:%1$d@evil.example:%1$d"
      })
  void otherHost_isRefused(String host) throws IOException {
    String answer = get("/api/state", "X-Matryoshka: 1", host.formatted(served.port()));
    assertThat(answer).containsPattern("^HTTP/1.1 40[03]").doesNotContain("\"saes\"");
  }

  @Test
  void otherHost_getsNoFileOfThePage() throws IOException {
    assertThat(get("/", "Host: evil.example:" + served.port())).startsWith("HTTP/1.1 403");
  }

  @Test
  void noHost_isRefused() throws IOException {
    assertThat(get("/api/state", "X-Matryoshka: 1")).startsWith("HTTP/1.1 400");
  }

  @ParameterizedTest
  @CsvSource({
    "Origin, https://evil.example",
    "Origin, null",
    "Origin, http://localhost:1",
    "Sec-Fetch-Site, cross-site",
    "Sec-Fetch-Site, same-site"
  })
  void callOfAnotherSite_isRefused(String header, String value) throws IOException {
    String answer = get("/api/state", "X-Matryoshka: 1", "Host: " + own(), header + ": " + value);
    assertThat(answer).startsWith("HTTP/1.1 403").contains("forbidden");
  }

  @Test
  void callOfTheOwnPage_isAnswered() throws IOException {
    String answer =
        get(
            "/api/state",
            "X-Matryoshka: 1",
            "Host: " + own(),
            "Origin: http://" + own(),
            "Sec-Fetch-Site: same-origin");
    assertThat(answer).startsWith("HTTP/1.1 200");
  }

  @Test
  void linkFromAnotherSite_opensThePage() throws IOException {
    assertThat(get("/", "Host: " + own(), "Sec-Fetch-Site: cross-site")).startsWith("HTTP/1.1 200");
  }

  @Test
  void callWithoutTheOwnHeader_isRefused() throws IOException {
    assertThat(get("/api/state", "Host: " + own())).startsWith("HTTP/1.1 403");
  }

  @Test
  void formOfAnotherSite_isRefused() throws IOException {
    HttpResponse<String> answer =
        served.send(
            served
                .request("/api/latents")
                .header("Content-Type", "text/plain")
                .POST(BodyPublishers.ofString(ServedBookworm.body(KEY, "x").toString())));
    assertThat(answer.statusCode()).isEqualTo(415);
    assertThat(error(answer).get("code").textValue()).isEqualTo("not_json");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fPlayground.class",
        "/../Playground.class",
        "//etc/passwd",
        "/page/../index.html",
        "/js/..%5c..%5cindex.html",
        "/js/",
        "/.git/config",
        "/index.html%00.js",
        "/index.html;x=/../..",
        "/C:/Windows/win.ini",
        "/http://example.com/",
        "/js/../../Playground.class",
        "/api/",
        "/api/state/",
        "/api/../index.html"
      })
  void pathOutOfThePage_givesNothing(String path) throws IOException {
    String answer = get(path, "X-Matryoshka: 1", "Host: " + own());
    assertThat(answer).containsPattern("^HTTP/1.1 40[04]").contains("\"error\"");
  }

  @Test
  void pageAndItsFiles_comeWithTheirPolicy() throws IOException {
    String page = get("/", "Host: " + own());
    assertThat(page)
        .startsWith("HTTP/1.1 200")
        .contains(
            "Content-Type: text/html; charset=utf-8",
            "default-src 'none'; script-src 'self'",
            "frame-ancestors 'none'",
            "X-Content-Type-Options: nosniff",
            "Referrer-Policy: no-referrer")
        .doesNotContain("Server:", "Access-Control-Allow");
    assertThat(get("/hello/hello.js", "Host: " + own()))
        .contains("Content-Type: text/javascript", "served();");
  }

  @Test
  void answers_areNeitherCachedNorPages() throws IOException {
    assertThat(get("/api/state", "X-Matryoshka: 1", "Host: " + own()))
        .contains(
            "Content-Type: application/json",
            "Cache-Control: no-store",
            "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{ | the body: not JSON",
        "[1] | expected a JSON object",
        "{} | sae: expected a text, got none",
        "{\"sae\":1} | sae: expected a text, got 1",
        "{\"sae\":\"%s\"} | text: expected a text, got none",
        "{\"sae\":\"%s\",\"text\":\"\"} | the text is empty",
        "{\"sae\":\"%s\",\"text\":\"x\",\"url\":\"file:///etc/passwd\"} | field 'url' is not known",
        "{\"sae\":\"%s\",\"text\":\"x\",\"text\":\"y\"} | the body: the key 'text' stands there twice",
        "{\"sae\":\"%s\",\"text\":\"x\"} {} | not JSON",
        "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}} | the body: lists and objects lie 9 deep in each other, and at most 8 are read"
      })
  void malformedBody_isNamed(String body, String message) throws IOException {
    HttpResponse<String> answer = served.send(served.post("/api/latents", body.replace("%s", KEY)));
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(error(answer).get("message").textValue()).contains(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "edits | {\"kind\":\"zero\"} | edits[0].latent: expected a whole number",
        "edits | {\"kind\":\"burn\",\"latent\":1} | expected zero, scale or steer, got 'burn'",
        "edits | {\"kind\":\"zero\",\"latent\":2048} | from 0 to 2047, got 2048",
        "edits | {\"kind\":\"steer\",\"latent\":1,\"value\":1e99} | -3.4e38 to 3.4e38, as float32 holds it, got 1.0E99",
        "edits | {\"kind\":\"steer\",\"latent\":1,\"value\":\"a\"} | value: expected a number, got \"a\"",
        "edits | {\"kind\":\"steer\",\"latent\":1} | value: expected a number, got none",
        "edits | {\"kind\":\"zero\",\"latent\":1,\"path\":\"x\"} | 'edits[0].path' is not known",
        "positions | 5-2 | positions: expected numbers and rising ranges",
        "positions | 1;2 | positions: expected numbers and rising ranges",
        "positions | 40 | positions: 40 reaches no token",
        "positions | 1-2,40-50 | positions: 40-50 reaches no token",
        "positions | 0 | positions: 0 reaches no token",
        "position | 99 | position: expected a whole number from 0 to",
        "count | 51 | count: expected a whole number from 1 to 50"
      })
  void changeOutOfRange_isNamed(String field, String value, String message) throws IOException {
    ObjectNode body = ServedBookworm.body(KEY, "The cat sat.");
    body.putArray("edits").addObject().put("kind", "zero").put("latent", 1);
    switch (field) {
      case "edits" -> body.putArray("edits").add(ServedBookworm.json(value));
      case "positions" -> body.put(field, value);
      default -> body.put(field, Integer.parseInt(value));
    }
    HttpResponse<String> answer = served.send(served.post("/api/intervene", body.toString()));
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(error(answer).get("message").textValue()).contains(message);
  }

  @ParameterizedTest
  @CsvSource({
    "/api/latent?sae=none&latent=1, 404, not_found",
    "/api/latent?sae=KEY&latent=2048, 404, not_found",
    "/api/latent?sae=KEY&latent=-1, 400, bad_request",
    "/api/latent?sae=KEY&latent=x, 400, bad_request",
    "/api/latent?sae=KEY, 400, bad_request",
    "/api/latent?sae=KEY&latent=1&latent=2, 400, bad_request",
    "/api/latent?sae=KEY&latent=1&file=x, 400, bad_request",
    "/api/search?sae=KEY&limit=201, 400, bad_request",
    "/api/search?sae=KEY&sort=x, 400, bad_request",
    "/api/search?sae=KEY&level=4, 400, bad_request",
    "/api/latent?sae=%ff%fe&latent=1, 400, bad_request",
    "/api/nothing, 404, not_found",
    "/api/latents, 405, method_not_allowed"
  })
  void badParameters_areNamed(String path, int status, String code) throws IOException {
    HttpResponse<String> answer = served.send(served.request(path.replace("KEY", KEY)).GET());
    assertThat(answer.statusCode()).isEqualTo(status);
    assertThat(error(answer).get("code").textValue()).isEqualTo(code);
  }

  @Test
  void saeWithoutModel_saysSo() throws IOException {
    HttpResponse<String> answer =
        served.send(
            served.post(
                "/api/latents", ServedBookworm.body(ServedBookworm.SILENT, "x").toString()));
    assertThat(answer.statusCode()).isEqualTo(409);
    assertThat(error(answer).get("code").textValue()).isEqualTo("no_model");
    JsonNode latent = served.get("/api/latent?sae=silent&latent=3");
    assertThat(latent.get("logits").isNull()).isTrue();
    assertThat(latent.get("corpus").isNull()).isTrue();
    assertThat(latent.at("/nearest/decoder")).hasSize(10);
  }

  @Test
  void labelWithoutFile_saysSo() throws IOException {
    HttpResponse<String> answer =
        served.send(served.request("/api/label?sae=silent&latent=3").DELETE());
    assertThat(answer.statusCode()).isEqualTo(409);
    assertThat(error(answer).get("message").textValue()).isEqualTo("there is no file");
  }

  @Test
  void longText_isRefusedWithItsLimit() throws IOException {
    HttpResponse<String> characters =
        served.send(
            served.post("/api/latents", ServedBookworm.body(KEY, "x".repeat(8001)).toString()));
    assertThat(characters.statusCode()).isEqualTo(413);
    assertThat(error(characters).get("limit").intValue()).isEqualTo(8000);
    HttpResponse<String> tokens =
        served.send(
            served.post("/api/latents", ServedBookworm.body(KEY, "q z ".repeat(600)).toString()));
    assertThat(tokens.statusCode()).isEqualTo(413);
    assertThat(error(tokens).get("code").textValue()).isEqualTo("text_too_long");
    assertThat(error(tokens).get("limit").intValue()).isEqualTo(512);
  }

  @Test
  void largeBody_isRefused_declaredOrNot() throws IOException {
    String large = ServedBookworm.body(KEY, "x".repeat(1 << 17)).toString();
    assertThat(served.send(served.post("/api/latents", large)).statusCode()).isEqualTo(413);
    String chunk = "a".repeat(0x8000);
    String chunks =
        "8000\r\n" + chunk + "\r\n8000\r\n" + chunk + "\r\n8000\r\n" + chunk + "\r\n0\r\n\r\n";
    assertThat(
            raw(
                "POST /api/latents HTTP/1.1\r\nX-Matryoshka: 1\r\nHost: "
                    + own()
                    + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + chunks))
        .startsWith("HTTP/1.1 413");
  }

  @Test
  void positionsOfNewTokens_areReachedWhereTheTextGrowsSoFar() throws IOException {
    ObjectNode body = ServedBookworm.body(KEY, "x").put("positions", "9");
    body.putArray("edits").addObject().put("kind", "zero").put("latent", 1);
    HttpResponse<String> beyond =
        served.send(served.post("/api/generate", body.put("max_new_tokens", 2).toString()));
    assertThat(beyond.statusCode()).isEqualTo(400);
    assertThat(error(beyond).get("message").textValue())
        .contains("positions: 9 reaches no token", "with its new tokens", "(skip_bos)");
    HttpResponse<String> within =
        served.send(served.post("/api/generate", body.put("max_new_tokens", 12).toString()));
    assertThat(within.statusCode()).isEqualTo(200);
  }

  @Test
  void tooManyNewTokens_areRefused() throws IOException {
    ObjectNode body = ServedBookworm.body(KEY, "x").put("max_new_tokens", 201);
    HttpResponse<String> answer = served.send(served.post("/api/generate", body.toString()));
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(error(answer).get("message").textValue()).contains("from 1 to 200, got 201");
  }

  @Test
  void malformedRequest_getsNoDetails() throws IOException {
    assertThat(raw("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"))
        .startsWith("HTTP/1.1 400")
        .contains("\"bad_request\"")
        .doesNotContain("jetty", "Exception");
  }

  @Test
  void token_isNeededWhereAnotherMachineCanCall() throws IOException {
    ServeOptions open = new ServeOptions("0.0.0.0", 0, Optional.of(TOKEN));
    try (ServedBookworm remote = ServedBookworm.start(folder, Limits.defaults(), open)) {
      assertThat(remote.address()).endsWith("/#token=" + TOKEN);
      HttpResponse<String> without = remote.send(remote.request("/api/state").GET());
      assertThat(without.statusCode()).isEqualTo(401);
      HttpResponse<String> wrong =
          remote.send(remote.request("/api/state").header("Authorization", "Bearer x").GET());
      assertThat(wrong.statusCode()).isEqualTo(401);
      HttpResponse<String> right =
          remote.send(
              remote.request("/api/state").header("Authorization", "Bearer " + TOKEN).GET());
      assertThat(right.statusCode()).isEqualTo(200);
    }
  }

  @Test
  void takenPort_isNamed() {
    assertThatThrownBy(
            () ->
                ServedBookworm.start(
                    folder, Limits.defaults(), ServeOptions.loopback(served.port())))
        .isInstanceOf(BindException.class)
        .hasMessageContaining("cannot listen on 127.0.0.1, port " + served.port());
  }
}
