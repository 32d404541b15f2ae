package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HubProxiesTest {
  private static final URI HTTPS = URI.create("https://hub.example.org/x");
  private static final URI HTTP = URI.create("http://hub.example.org/x");

  @TempDir Path cache;

  private static String selected(URI uri, Map<String, String> variables) {
    Proxy proxy = new HubProxies(variables).select(uri).get(0);
    return proxy.type() == Proxy.Type.DIRECT
        ? "DIRECT"
        : ((InetSocketAddress) proxy.address()).getHostString()
            + ":"
            + ((InetSocketAddress) proxy.address()).getPort();
  }

  @ParameterizedTest
  @CsvSource({
    "HTTPS_PROXY, p:1, DIRECT",
    "https_proxy, p:1, DIRECT",
    "HTTP_PROXY, DIRECT, p:1",
    "http_proxy, DIRECT, p:1",
    "ALL_PROXY, p:1, p:1",
    "all_proxy, p:1, p:1"
  })
  void select_variable_servesItsScheme(String variable, String https, String http) {
    Map<String, String> variables = Map.of(variable, "http://p:1");
    assertThat(selected(HTTPS, variables)).isEqualTo(https);
    assertThat(selected(HTTP, variables)).isEqualTo(http);
  }

  @ParameterizedTest
  @CsvSource({"http://p:1, p:1", "p:1, p:1", "http://u:w@p:1, p:1", "http://p, p:80"})
  void select_formOfTheAddress_isRead(String value, String expected) {
    assertThat(selected(HTTPS, Map.of("HTTPS_PROXY", value))).isEqualTo(expected);
  }

  @Test
  void select_bothCases_takesTheLower() {
    assertThat(selected(HTTPS, Map.of("HTTPS_PROXY", "http://a:1", "https_proxy", "http://b:2")))
        .isEqualTo("b:2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "*",
        "hub.example.org",
        "example.org",
        ".example.org",
        "*.example.org",
        "hub.example.org:443",
        "other, EXAMPLE.org"
      })
  void select_hostInNoProxy_isDirect(String noProxy) {
    assertThat(selected(HTTPS, Map.of("HTTPS_PROXY", "http://p:1", "NO_PROXY", noProxy)))
        .isEqualTo("DIRECT");
    assertThat(selected(HTTPS, Map.of("HTTPS_PROXY", "http://p:1", "no_proxy", noProxy)))
        .isEqualTo("DIRECT");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "org.example", "ample.org", "hub.example.org:80", "10.0.0.0/8"})
  void select_otherHostInNoProxy_goesThroughTheProxy(String noProxy) {
    assertThat(selected(HTTPS, Map.of("HTTPS_PROXY", "http://p:1", "NO_PROXY", noProxy)))
        .isEqualTo("p:1");
  }

  @ParameterizedTest
  @CsvSource({
    "10.1.2.3, 10.0.0.0/8, DIRECT",
    "11.1.2.3, 10.0.0.0/8, p:1",
    "192.168.7.9, 192.168.7.8/31, DIRECT",
    "192.168.7.10, 192.168.7.8/31, p:1",
    "127.0.0.1, none, DIRECT",
    "localhost, none, DIRECT"
  })
  void select_address_isComparedWithTheNetwork(String host, String noProxy, String expected) {
    assertThat(
            selected(
                URI.create("https://" + host + "/x"),
                Map.of("HTTPS_PROXY", "http://p:1", "NO_PROXY", noProxy)))
        .isEqualTo(expected);
  }

  @Test
  void authorization_userInTheAddress_isBasic() {
    HubProxies proxies = new HubProxies(Map.of("HTTPS_PROXY", "http://u:p%40s+s@p:1"));
    assertThat(proxies.authorization(HTTPS)).contains("Basic dTpwQHMrcw=="); // u:p@s+s
    assertThat(proxies.authorization(HTTP)).isEmpty();
  }

  @Test
  void select_noProxyAddress_namesTheVariablesAndNoPassword() {
    HubProxies proxies = new HubProxies(Map.of("ALL_PROXY", "socks5://u:secret@p:1"));
    assertThatThrownBy(() -> proxies.select(HTTPS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("ALL_PROXY")
        .hasMessageContaining("socksProxyHost")
        .hasMessageNotContaining("secret");
  }

  private HubClient client(LoopbackServer proxy, String endpoint, String userInfo) {
    String address = "http://" + userInfo + proxy.uri().getAuthority();
    return HubClient.of(
        HubOptions.fromEnvironment(
                Map.of("HF_ENDPOINT", endpoint, "HTTP_PROXY", address, "HTTPS_PROXY", address))
            .cacheDir(cache)
            .withoutToken()
            .retries(0, Duration.ZERO));
  }

  @Test
  void download_throughAProxy_asksItForTheWholeAddressWithThePassword() throws IOException {
    List<String> seen = new CopyOnWriteArrayList<>();
    try (LoopbackServer proxy =
        new LoopbackServer(
            "127.0.0.1",
            (request, response) -> {
              seen.add(
                  request.method()
                      + " "
                      + request.path()
                      + " "
                      + request.headers().get("proxy-authorization"));
              response.start(404, LoopbackServer.headers("Content-Length", "0"));
              return true;
            })) {
      HubClient client = client(proxy, "http://hub.invalid", "u:p@");
      assertThatThrownBy(() -> client.download(RepoFile.of("owner/name", "cfg.json")))
          .isInstanceOf(EntryNotFoundException.class);
    }
    assertThat(seen)
        .containsExactly("HEAD http://hub.invalid/owner/name/resolve/main/cfg.json Basic dTpw");
  }

  @Test
  void download_proxyWantsAPassword_saysHowToGiveIt() throws IOException {
    List<String> seen = new CopyOnWriteArrayList<>();
    try (LoopbackServer proxy =
        new LoopbackServer(
            "127.0.0.1",
            (request, response) -> {
              seen.add(request.method() + " " + request.path());
              response.start(
                  407,
                  LoopbackServer.headers(
                      "Proxy-Authenticate", "Basic realm=\"x\"", "Content-Length", "0"));
              return true;
            })) {
      for (String endpoint : List.of("https://hub.invalid", "http://hub.invalid")) {
        HubClient client = client(proxy, endpoint, "");
        assertThatThrownBy(() -> client.download(RepoFile.of("owner/name", "cfg.json")))
            .isInstanceOf(ProxyRefusalException.class)
            .hasMessageContaining("407")
            .hasMessageContaining("HTTPS_PROXY=http://user:password@host:port");
      }
    }
    assertThat(seen).first().isEqualTo("CONNECT hub.invalid:443");
  }
}
