package io.matryoshka.sae.internal.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.NativeMemory;
import io.matryoshka.sae.internal.serve.view.Cancellation;
import io.matryoshka.sae.internal.serve.view.Limits;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many calls at once, calls that nobody waits for, and what stays behind of them. */
class ServedLoadTest {

  private static final int CALLS = 50;

  /** A minute of looks at something that comes about. */
  private static final int MOST_LOOKS = 6000;

  @TempDir private Path folder;

  private static Limits limits(int waiting, int streams) {
    Limits usual = Limits.defaults();
    return new Limits(
        usual.textCharacters(),
        usual.textTokens(),
        usual.newTokens(),
        usual.edits(),
        usual.bodyBytes(),
        waiting,
        streams,
        usual.labelCharacters());
  }

  private static String text(int number) {
    return ServedBookworm.TEXT + " " + number;
  }

  private static List<CompletableFuture<HttpResponse<String>>> ask(
      ServedBookworm served, int calls) {
    return IntStream.range(0, calls)
        .mapToObj(
            i ->
                served.post(
                    "/api/latents", ServedBookworm.body(ServedBookworm.KEY, text(i)).toString()))
        .map(request -> served.client.sendAsync(request.build(), BodyHandlers.ofString()))
        .toList();
  }

  @Test
  void fiftyCallsAtOnce_areAllAnsweredAsAlone_andLeaveNoArrays() throws Exception {
    try (ServedBookworm served = ServedBookworm.start(folder);
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      Map<Integer, String> alone = new HashMap<>();
      for (int i = 0; i < CALLS; i++) {
        alone.put(
            i,
            served
                .post("/api/latents", ServedBookworm.body(ServedBookworm.KEY, text(i)))
                .toString());
      }
      NativeMemory.Live before = NativeMemory.live(manager);
      for (int round = 0; round < 2; round++) {
        List<CompletableFuture<HttpResponse<String>>> answers = ask(served, CALLS);
        for (int i = 0; i < CALLS; i++) {
          HttpResponse<String> answer = answers.get(i).get(60, TimeUnit.SECONDS);
          assertThat(answer.statusCode()).isEqualTo(200);
          assertThat(ServedBookworm.json(answer.body()).toString()).isEqualTo(alone.get(i));
        }
      }
      assertThat(NativeMemory.live(manager)).isEqualTo(before);
    }
  }

  @Test
  void everyCall_closesItsArrays() throws Exception {
    try (ServedBookworm served = ServedBookworm.start(folder);
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      callEverything(served);
      NativeMemory.Live before = NativeMemory.live(manager);
      callEverything(served);
      assertThat(NativeMemory.live(manager)).isEqualTo(before);
    }
  }

  private static void callEverything(ServedBookworm served) throws IOException {
    String key = ServedBookworm.KEY;
    ObjectNode body = ServedBookworm.body(key, ServedBookworm.TEXT);
    served.post("/api/latents", body);
    served.post("/api/losses", body);
    served.get("/api/latent?sae=" + key + "&latent=9");
    ObjectNode changed = body.deepCopy();
    changed.putArray("edits").addObject().put("kind", "steer").put("latent", 1).put("value", 24);
    served.post("/api/intervene", changed);
    assertThat(served.send(served.post("/api/generate", changed.toString())).body())
        .contains("\"done\":true");
    ObjectNode compared = body.deepCopy();
    compared.remove("sae");
    compared.putObject("left").put("sae", key).put("width", 64);
    compared.putObject("right").put("sae", key);
    served.post("/api/compare", compared);
    served.send(served.post("/api/latents", ServedBookworm.body(key, "").toString()));
  }

  @Test
  void fullQueue_isSaid_andNothingIsLost() throws Exception {
    try (ServedBookworm served =
        ServedBookworm.start(folder, limits(2, 4), ServeOptions.loopback(0))) {
      int answered = 0;
      int refused = 0;
      for (CompletableFuture<HttpResponse<String>> future : ask(served, CALLS)) {
        HttpResponse<String> answer = future.get(60, TimeUnit.SECONDS);
        if (answer.statusCode() == 429) {
          refused++;
          assertThat(answer.body()).contains("too_many_calls");
          assertThat(answer.headers().firstValue("Retry-After")).contains("2");
        } else {
          answered++;
          assertThat(answer.statusCode()).isEqualTo(200);
        }
      }
      assertThat(answered).isPositive();
      assertThat(refused).isPositive();
      assertThat(answered + refused).isEqualTo(CALLS);
      assertThat(ask(served, 1).get(0).get(60, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void continuationThatNobodyReads_isStopped() throws Exception {
    try (ServedBookworm served =
        ServedBookworm.start(folder, limits(64, 1), ServeOptions.loopback(0))) {
      String body =
          ServedBookworm.body(ServedBookworm.KEY, ServedBookworm.TEXT)
              .put("max_new_tokens", 200)
              .put("temperature", 1)
              .toString();
      HttpResponse<InputStream> stream =
          served.client.send(
              served.post("/api/generate", body).build(), BodyHandlers.ofInputStream());
      assertThat(stream.statusCode()).isEqualTo(200);
      assertThat(stream.body().read()).isEqualTo('{');
      assertThat(served.send(served.post("/api/generate", body)).statusCode()).isEqualTo(429);
      stream.body().close();
      String shorter = body.replace("200", "2");
      HttpResponse<String> next = served.send(served.post("/api/generate", shorter));
      for (int i = 0; next.statusCode() == 429 && i < MOST_LOOKS; i++) {
        Thread.sleep(10);
        next = served.send(served.post("/api/generate", shorter));
      }
      assertThat(next.statusCode()).isEqualTo(200);
    }
  }

  @Test
  void waitingCallsWhosePageHasGone_areTakenOut() throws Exception {
    try (ServedBookworm served =
        ServedBookworm.start(folder, limits(4, 4), ServeOptions.loopback(0))) {
      List<CompletableFuture<HttpResponse<String>>> answers =
          served
              .workspace
              .passes()
              .run(
                  new Cancellation(),
                  () -> {
                    fillQueue(served);
                    return ask(served, 4);
                  });
      for (CompletableFuture<HttpResponse<String>> answer : answers) {
        assertThat(answer.get(60, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
      }
    }
  }

  /** Fills the queue of four with calls that nothing answers, and closes their connections. */
  private void fillQueue(ServedBookworm served) throws Exception {
    String body = ServedBookworm.body(ServedBookworm.KEY, ServedBookworm.TEXT).toString();
    List<Socket> sockets = new ArrayList<>();
    sockets.add(send(served, body));
    await(() -> served.desk().inHand() == 1 && served.desk().waiting() == 0); // It is begun.
    for (int i = 0; i < 4; i++) {
      sockets.add(send(served, body));
    }
    await(() -> served.desk().waiting() == 4);
    try (Socket extra = send(served, body)) {
      extra.setSoTimeout(60_000);
      assertThat(status(extra)).isEqualTo(429);
    }
    for (Socket socket : sockets) {
      socket.close();
    }
    await(() -> served.desk().waiting() == 0);
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    for (int i = 0; !condition.getAsBoolean(); i++) {
      assertThat(i).isLessThan(MOST_LOOKS);
      Thread.sleep(10);
    }
  }

  /** Returns the status of the answer; 0 if none comes in time. */
  private static int status(Socket socket) throws IOException {
    try {
      byte[] line = socket.getInputStream().readNBytes("HTTP/1.1 429".length());
      return Integer.parseInt(new String(line, StandardCharsets.US_ASCII).substring(9));
    } catch (SocketTimeoutException e) {
      return 0;
    }
  }

  /** Sends a call and does not wait for its answer. */
  private static Socket send(ServedBookworm served, String body) throws IOException {
    Socket socket = new Socket("127.0.0.1", served.port());
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    String head =
        "POST /api/losses HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-Matryoshka: 1\r\n"
            + "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n";
    socket
        .getOutputStream()
        .write(head.formatted(served.port(), bytes.length).getBytes(StandardCharsets.US_ASCII));
    socket.getOutputStream().write(bytes);
    socket.getOutputStream().flush();
    return socket;
  }

  @Test
  void serverThatIsClosed_releasesItsMemory_andStartsAgainOnItsPort() throws Exception {
    try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      ServedBookworm first = ServedBookworm.start(folder);
      first.post("/api/latents", ServedBookworm.body(ServedBookworm.KEY, "x"));
      int port = first.port();
      first.close();
      assertThat(first.sae.isClosed()).isTrue();
      NativeMemory.Live closed = NativeMemory.live(manager);
      ServedBookworm second =
          ServedBookworm.start(folder, Limits.defaults(), ServeOptions.loopback(port));
      second.post("/api/latents", ServedBookworm.body(ServedBookworm.KEY, "x"));
      second.close();
      second.close();
      assertThat(NativeMemory.live(manager)).isEqualTo(closed);
    }
  }

  @Test
  void serverThatCloses_answersThoseWhoWait() throws Exception {
    ServedBookworm served = ServedBookworm.start(folder);
    List<CompletableFuture<HttpResponse<String>>> answers = ask(served, 20);
    answers.get(0).get(60, TimeUnit.SECONDS);
    served.close();
    for (CompletableFuture<HttpResponse<String>> answer : answers) {
      int status =
          answer
              .handle((got, failure) -> got == null ? 503 : got.statusCode())
              .get(60, TimeUnit.SECONDS);
      assertThat(status).isIn(200, 503);
    }
  }

  @Test
  void callThatWaitsLong_isStillAnswered() throws Exception {
    try (ServedBookworm served = ServedBookworm.startImpatient(folder, 200)) {
      CompletableFuture<HttpResponse<String>> answer =
          served
              .workspace
              .passes()
              .run(
                  new Cancellation(),
                  () -> {
                    CompletableFuture<HttpResponse<String>> asked = ask(served, 1).get(0);
                    Thread.sleep(1000);
                    return asked;
                  });
      assertThat(answer.get(60, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
    }
  }
}
