package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server whose certificate no one but its own file vouches for. */
class CertificateFilesTest {
  private static final char[] PASSWORD = "changeit".toCharArray();

  @TempDir static Path keys;
  @TempDir Path cache;
  private static HttpsServer server;
  private static Path pem;

  private static void keytool(String... arguments) throws Exception {
    List<String> command = new java.util.ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments));
    command.addAll(
        List.of("-keystore", keys.resolve("keys.p12").toString(), "-storepass", "changeit"));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertThat(process.waitFor()).isZero();
  }

  @BeforeAll
  static void startServer() throws Exception {
    keytool(
        "-genkeypair",
        "-alias",
        "server",
        "-keyalg",
        "EC",
        "-dname",
        "CN=localhost",
        "-ext",
        "san=dns:localhost,ip:127.0.0.1",
        "-storetype",
        "PKCS12");
    Path der = keys.resolve("ca.der");
    keytool("-exportcert", "-rfc", "-alias", "server", "-file", der.toString());
    pem =
        Files.writeString(
            keys.resolve("ca.pem"), "# Example - a company's own\n" + Files.readString(der));
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(keys.resolve("keys.p12"))) {
      store.load(in, PASSWORD);
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(store, PASSWORD);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    server = HttpsServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(context));
    server.createContext(
        "/",
        exchange -> {
          exchange.getResponseHeaders().add("X-Repo-Commit", "a".repeat(40));
          exchange.getResponseHeaders().add("ETag", "\"name\"");
          boolean head = exchange.getRequestMethod().equals("HEAD");
          if (head) {
            exchange.getResponseHeaders().add("Content-Length", "2");
          }
          exchange.sendResponseHeaders(200, head ? -1 : 2);
          if (!head) {
            exchange.getResponseBody().write(new byte[] {'{', '}'});
          }
          exchange.close();
        });
    server.start();
  }

  @AfterAll
  static void stopServer() {
    server.stop(0);
  }

  private HubClient client(Map<String, String> environment) {
    return HubClient.of(
        HubOptions.fromEnvironment(environment)
            .endpoint(java.net.URI.create("https://localhost:" + server.getAddress().getPort()))
            .cacheDir(cache)
            .withoutToken());
  }

  @ParameterizedTest
  @ValueSource(strings = {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"})
  void download_authorityOfTheEnvironment_isTrusted(String variable) throws Exception {
    HubClient client = client(Map.of(variable, pem.toString()));
    assertThat(client.download(RepoFile.of("owner/name", "cfg.json"))).hasContent("{}");
  }

  @Test
  void download_folderOfAuthorities_isTrusted() throws Exception {
    HubClient client = client(Map.of("SSL_CERT_DIR", keys.toString()));
    assertThat(client.download(RepoFile.of("owner/name", "cfg.json"))).hasContent("{}");
  }

  @Test
  void download_unknownAuthority_saysHowToNameIt() {
    HubClient client = client(Map.of("SSL_CERT_FILE", keys.resolve("missing.pem").toString()));
    assertThatThrownBy(() -> client.download(RepoFile.of("owner/name", "cfg.json")))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("certificate is not trusted")
        .hasMessageContaining("SSL_CERT_FILE")
        .hasMessageContaining("javax.net.ssl.trustStore");
  }
}
