package io.matryoshka.sae.internal.cli;

import ai.djl.Device;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.serve.Playground;
import io.matryoshka.sae.internal.serve.ServeOptions;
import io.matryoshka.sae.internal.serve.view.Corpus;
import io.matryoshka.sae.internal.serve.view.Limits;
import io.matryoshka.sae.internal.serve.view.Workspace;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Serves a page to explore latents with texts of one's own. */
@Command(
    name = "serve",
    description =
        "Opens a page to think in: type a text and see its latents, look at single latents, change"
            + " them and watch the model go on, compare SAEs. It runs on this machine alone. Without"
            + " RELEASE and SAE_ID it takes the small model and SAE that come with the program.",
    footer = {
      "",
      "Example:",
      "  matryoshka-sae serve gemma-3-1b-res-matryoshka-dc blocks.12.hook_resid_post --text-file"
          + " corpus.txt"
    })
final class ServeCommand implements Callable<Integer> {

  /** The port unless another is named or this one is taken. */
  static final int PORT = 7341;

  private static final int TOKEN_BYTES = 24;
  private static final int SECONDS_TO_END = 5;

  @Spec private CommandSpec command;

  @Mixin private LoadMixin load;

  @Parameters(
      index = "2..*",
      paramLabel = "RELEASE SAE_ID",
      description = "More SAEs to compare with, by release and id.")
  private List<String> more = new ArrayList<>();

  @Mixin private ModelMixin model;

  @Mixin private CorpusMixin corpus;

  @Option(
      names = "--explore",
      paramLabel = "FILE",
      description = "Contexts of latents from a result of 'explore --json', in place of texts.")
  private Path explored;

  @Mixin private LabelsMixin labels;

  @Option(
      names = "--port",
      paramLabel = "N",
      description =
          "Port to listen on, 0 for any that is free; default: "
              + PORT
              + ", or a free one if it is taken.")
  private Integer port;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      defaultValue = ServeOptions.LOOPBACK,
      description =
          "Address to listen on; default: ${DEFAULT-VALUE}, which only this machine reaches. For any"
              + " other, calls need a token, which is part of the printed address; the connection is"
              + " not encrypted.")
  private String host;

  @Option(
      names = "--open",
      negatable = true,
      description = "Open the page in the browser; the default on a terminal, without --host.")
  private Boolean open;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    if (more.size() % 2 != 0) {
      throw usage("expected RELEASE and SAE_ID of each further SAE, got " + more);
    }
    if (explored != null && corpus.isGiven()) {
      throw usage("expected either --explore or --text-file, got both");
    }
    if ((explored != null || labels.file().isPresent()) && !more.isEmpty()) {
      throw usage("--explore and --labels-file are for one SAE, got several");
    }
    if (!load.device().equals(Device.cpu())) {
      throw usage("--device: the language models run on the CPU, so serve does; leave it out");
    }
    ServeOptions options = new ServeOptions(host, port == null ? PORT : port, token());
    CountDownLatch ended = new CountDownLatch(1);
    try (Playground playground = start(workspace(), options)) {
      tell(playground, options);
      waitForTheEnd(playground, ended);
    } finally {
      ended.countDown();
    }
    return ExitCode.OK.code();
  }

  /** Needed as soon as another machine can call. */
  private Optional<String> token() throws IOException {
    if (InetAddress.getByName(host).isLoopbackAddress()) {
      return Optional.empty();
    }
    byte[] random = new byte[TOKEN_BYTES];
    new SecureRandom().nextBytes(random);
    return Optional.of(Base64.getUrlEncoder().withoutPadding().encodeToString(random));
  }

  private Workspace workspace() throws IOException {
    try (ServedSaes saes = new ServedSaes(load, model, labels, output)) {
      if (load.isNamed()) {
        saes.open(load.words(), load.entry(), load.open(output), this::corpusOf);
      } else {
        open(saes, TextDemo.RELEASE, TextDemo.SAE_ID);
      }
      for (int i = 0; i < more.size(); i += 2) {
        open(saes, more.get(i), more.get(i + 1));
      }
      return new Workspace(
          new Version().getVersion()[0], saes.handOver(), Limits.defaults(), TextDemo.SENTENCE);
    }
  }

  private void open(ServedSaes saes, String release, String saeId) throws IOException {
    SAE sae = SAE.fromPretrained(release, saeId, load.options(output));
    saes.open(
        load.words(release, saeId),
        load.releases().contains(release)
            ? Optional.of(load.releases().find(release, saeId))
            : Optional.empty(),
        sae,
        this::corpusOf);
  }

  private Corpus corpusOf(LoadWords words, SAE sae) throws IOException {
    if (explored != null) {
      return Corpus.of(explored, sae);
    }
    if (corpus.isGiven()) {
      return corpus.corpus();
    }
    boolean bundled = words.release().equals(Optional.of(TextDemo.RELEASE));
    return bundled && !model.isGiven() ? CorpusMixin.bundledCorpus() : Corpus.none();
  }

  /** Takes any free port where nobody asked for the one that is taken. */
  private Playground start(Workspace workspace, ServeOptions options) throws IOException {
    try {
      return startAt(workspace, options);
    } catch (IOException e) {
      workspace.close();
      throw e;
    }
  }

  private Playground startAt(Workspace workspace, ServeOptions options) throws IOException {
    try {
      return Playground.start(workspace, options);
    } catch (BindException e) {
      if (port != null) {
        throw e;
      }
      output.note("port %d is taken, so another one serves".formatted(PORT));
      return Playground.start(workspace, new ServeOptions(host, 0, options.token()));
    }
  }

  private void tell(Playground playground, ServeOptions options) {
    String address = playground.address();
    if (output.isJson()) {
      output.json(Output.object().put("address", address).put("port", playground.port()));
    } else {
      output.line("The page is at " + address);
      output.line("Ctrl-C ends it.");
    }
    boolean wanted = open != null ? open : output.isWatched() && options.token().isEmpty();
    if (wanted && !Browser.open(address)) {
      output.note("no browser could be started; open the address yourself");
    }
  }

  /** Returns when the program is to end; the JVM then waits a few seconds until it has. */
  private void waitForTheEnd(Playground playground, CountDownLatch ended) {
    CountDownLatch asked = new CountDownLatch(1);
    Thread hook = new Thread(() -> end(asked, ended), "serve-end");
    Runtime.getRuntime().addShutdownHook(hook);
    Thread reader = new Thread(() -> playground.readCorpus(corpus::read), "serve-corpus");
    reader.setDaemon(true);
    reader.start();
    try {
      asked.await();
    } catch (InterruptedException e) {
      Runtime.getRuntime().removeShutdownHook(hook);
    }
  }

  private static void end(CountDownLatch asked, CountDownLatch ended) {
    asked.countDown();
    try {
      ended.await(SECONDS_TO_END, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
