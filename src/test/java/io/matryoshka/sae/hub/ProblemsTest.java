package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.stream.Stream;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ProblemsTest {

  static Stream<Arguments> problems() {
    Throwable unresolved = new ConnectException().initCause(new UnresolvedAddressException());
    return Stream.of(
        arguments(new NoSuchFileException("/ca.pem"), "no such file or folder"),
        arguments(new AccessDeniedException("/ca.pem"), "permission denied"),
        arguments(new UnknownHostException("hub"), "its name cannot be resolved to an address"),
        arguments(unresolved, "its name cannot be resolved to an address"),
        arguments(new ConnectException(), "no connection"),
        arguments(new ConnectException("Connection refused"), "no connection (Connection refused)"),
        arguments(new NoRouteToHostException("No route"), "no connection (No route)"),
        arguments(
            new HttpConnectTimeoutException("HTTP connect timed out"),
            "no answer in the time allowed (HTTP connect timed out)"),
        arguments(
            new SSLHandshakeException(
                "PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException:"
                    + " unable to find valid certification path"),
            "no encrypted connection (PKIX path building failed: unable to find valid certification"
                + " path)"),
        arguments(new IOException("Connection reset"), "Connection reset"),
        arguments(new IOException(), "the connection broke off"),
        arguments(new IOException(new IllegalStateException("odd")), "odd"));
  }

  @ParameterizedTest
  @MethodSource("problems")
  void problem_isToldWithoutNamesOfJava(Throwable failure, String told) {
    assertThat(Problems.describe(failure)).isEqualTo(told);
  }
}
