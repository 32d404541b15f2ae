package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where the token may go. */
class HubHostsTest {

  @ParameterizedTest
  @CsvSource({
    "https://huggingface.co, https://huggingface.co/x, true",
    "https://huggingface.co, https://HuggingFace.co:443/x, true",
    "https://huggingface.co, https://hf.co/x, true",
    "https://huggingface.co, http://huggingface.co/x, false",
    "https://huggingface.co, https://huggingface.co:8443/x, false",
    "https://huggingface.co, https://cdn-lfs.huggingface.co/x, false",
    "https://huggingface.co, https://huggingface.co.evil.example/x, false",
    "https://huggingface.co, https://huggingface.co@evil.example/x, false",
    "https://huggingface.co, https://evil.example/huggingface.co, false",
    "http://mirror.example:8080, http://mirror.example:8080/x, true",
    "http://mirror.example:8080, http://mirror.example:9090/x, false",
    "http://mirror.example:8080, http://mirror.example/x, false",
    "http://mirror.example:8080, https://mirror.example/x, true",
    "http://mirror.example, http://huggingface.co/x, false",
    "http://mirror.example, https://huggingface.co/x, true"
  })
  void trusts_onlyTheHubItself(URI endpoint, URI uri, boolean expected) {
    assertThat(new HubHosts(endpoint).trusts(uri)).isEqualTo(expected);
  }
}
