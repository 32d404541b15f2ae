package io.matryoshka.sae.internal.serve.page;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.matryoshka.sae.internal.report.Chromium;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** A visitor of the page, served by a stand-in. Skipped where there is no browser. */
@Tag("browser")
abstract class PageTest {

  static final String TOKENS = ".strip [role=option]";

  static StandIn server;
  static Visitor visitor;

  @BeforeAll
  static void start(@TempDir(cleanup = CleanupMode.NEVER) Path folder) throws Exception {
    Optional<Path> binary = Chromium.find();
    assumeTrue(
        binary.isPresent(),
        "no chromium found: install Debian's package chromium, or name a browser with -Dbrowser=FILE");
    server = new StandIn();
    visitor = new Visitor(Chromium.start(binary.get(), folder));
  }

  @AfterAll
  static void stop() {
    if (visitor != null) {
      visitor.browser().close();
      server.close();
    }
  }

  /** Leaves the page of the test before first, which may still be about to call. */
  @BeforeEach
  void leaveHealAndWiden() throws Exception {
    visitor.browser().open(URI.create("about:blank"));
    server.heal();
    visitor.browser().screen(1360, 900, false, false);
  }

  /** Opens a view by its fragment and waits for its tokens. */
  static void read(String fragment) throws Exception {
    visitor.open(server.address(), fragment);
    visitor.awaitElement(TOKENS);
  }
}
