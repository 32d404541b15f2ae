package io.matryoshka.sae.internal.cli;

import ai.djl.Device;
import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.hub.EntryNotFoundException;
import io.matryoshka.sae.hub.ProgressListener;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.registry.RegistryException;
import io.matryoshka.sae.registry.Release;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.registry.SaeLocation;
import io.matryoshka.sae.safetensors.Dtype;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Names an SAE and how to load it; the parameters and options of every command that needs one. */
final class LoadMixin {

  private static final List<String> OF_SAE =
      List.of(
          "--prefix",
          "--widths",
          "--scaling-factor",
          "--device",
          "--dtype",
          "--fold-decoder-norms",
          "--engine",
          "--no-prepared-cache");

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "RELEASE",
      description = "A release ('list' shows them), or owner/repo on the Hugging Face Hub.")
  private String release;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "SAE_ID",
      description =
          "An SAE of the release, or its folder in the repository. Not needed if the release has"
              + " one SAE, or if the SAE lies at the top of the repository.")
  private String saeId;

  @Option(
      names = "--dir",
      paramLabel = "FOLDER",
      description = "Folder of an SAE in any format that is read, instead of RELEASE and SAE_ID.")
  private String dir;

  @Option(
      names = "--prefix",
      paramLabel = "WIDTH",
      description = "Load only the first WIDTH latents.")
  private Integer prefix;

  @Option(
      names = "--widths",
      paramLabel = "W,W,...",
      split = ",",
      hideParamSyntax = true,
      description = "Matryoshka widths of an SAE whose files do not tell them.")
  private List<Integer> widths = new ArrayList<>();

  @Option(
      names = "--scaling-factor",
      paramLabel = "FACTOR",
      description =
          "Factor on the activations of an SAE that was trained on scaled ones"
              + " (normalize_activations is expected_average_only_in), where its files do not tell"
              + " it.")
  private Double scalingFactor;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "cpu",
      converter = DeviceConverter.class,
      description = "cpu (default), cuda, or cuda:N.")
  private Device device;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      converter = DtypeConverter.class,
      description =
          "Type that weights are rounded to: float32, float64, float16 or bfloat16; default: that"
              + " of cfg.json.")
  private Dtype dtype;

  @Option(
      names = "--fold-decoder-norms",
      description =
          "Multiply each latent by the norm of its decoder row, as Neuronpedia shows latents;"
              + " reconstructions stay as they are.")
  private boolean foldDecoderNorms;

  @Option(
      names = "--engine",
      paramLabel = "ENGINE",
      defaultValue = "fast",
      description = "fast (default), or reference: plain dense products.")
  private LoadOptions.Engine engine;

  @Option(
      names = "--no-prepared-cache",
      description = "Keep no prepared encoder on disk for the next start.")
  private boolean noPreparedCache;

  private boolean toldModel;

  @Mixin private RegistryMixin registry;

  @Mixin private HubMixin hub;

  /** Loads the SAE that the user named, or the prefix view of it. */
  SAE open(Output output) throws IOException {
    return open(options(output));
  }

  /** Loads the SAE that the user named with other options than {@link #options}. */
  SAE open(LoadOptions options) throws IOException {
    if (dir != null) {
      requireNoRelease();
      return SAE.load(Path.of(dir), options);
    }
    requireRelease();
    String id = saeId();
    try {
      return SAE.fromPretrained(release, id, options);
    } catch (EntryNotFoundException e) {
      throw id.isEmpty() ? noneAtTop(e) : e;
    }
  }

  /** Loads an SAE of the release that the user named. */
  SAE open(SaeEntry entry, Output output) throws IOException {
    return SAE.fromPretrained(entry.release(), entry.saeId(), options(output));
  }

  /** Reads what the files of an SAE of the release say, without its weights. */
  SaeConfig config(SaeEntry entry, Output output) throws IOException {
    return SAE.readConfig(entry.release(), entry.saeId(), options(output));
  }

  /** The same, telling the user which of the layers have none. */
  List<SaeEntry> entries(LayersMixin layers, Output output) throws RegistryException {
    List<SaeEntry> entries = entries(layers);
    layers.missing(registry.registry().release(release)).ifPresent(output::note);
    return entries;
  }

  /** The SAEs of some layers of the release that the user named. */
  List<SaeEntry> entries(LayersMixin layers) throws RegistryException {
    if (saeId != null || dir != null) {
      throw usage(
          "expected either --layers or %s, got both".formatted(dir != null ? "--dir" : "SAE_ID"));
    }
    requireRelease();
    return layers.of(registry.registry().release(release));
  }

  private IOException noneAtTop(EntryNotFoundException cause) {
    NoSuchFileException none =
        new NoSuchFileException(
            release,
            null,
            "no such file at the top of this repository, where an SAE has its cfg.json and"
                + " weights; name the folder of the SAE after it ("
                + cause.getMessage()
                + ")");
    none.initCause(cause);
    return none;
  }

  /** Loads a language model that was named. */
  LanguageModel openModel(ModelMixin model, Output output) throws IOException {
    return model.open(hub.options(output.downloadBars()), registry.registry());
  }

  /** Loads the language model that was named, else the one that the SAE reads. */
  LanguageModel openModel(SAE sae, ModelMixin model, Output output) throws IOException {
    return openModel(sae.config(), model, output);
  }

  /** The same for an SAE that is not loaded yet. Tells the user once which model was taken. */
  LanguageModel openModel(SaeConfig sae, ModelMixin model, Output output) throws IOException {
    LanguageModel opened = openModelUntold(sae, model, output);
    tell(opened, model, output);
    return opened;
  }

  /** Tells the user once which model was taken, where none was named. */
  void tell(LanguageModel opened, ModelMixin model, Output output) {
    if (!model.isGiven() && !toldModel) {
      output.hint("the language model is " + opened.name());
      toldModel = true;
    }
  }

  /** The same for a command whose result names the model. */
  LanguageModel openModelUntold(SaeConfig sae, ModelMixin model, Output output) throws IOException {
    return model.open(
        sae,
        knownRelease().map(Release::id),
        hub.options(output.downloadBars()),
        registry.registry());
  }

  /** The release that the user named, if the tables in use have it. */
  Optional<Release> knownRelease() throws RegistryException {
    ReleaseRegistry known = registry.registry();
    return dir == null && release != null && known.contains(release)
        ? Optional.of(known.release(release))
        : Optional.empty();
  }

  /** Whether the user named an SAE. */
  boolean isNamed() {
    return release != null || dir != null;
  }

  /** Refuses options on the loading of an SAE where none was named. */
  void requireNoOptionsOfSae() {
    for (String option : OF_SAE) {
      if (command.commandLine().getParseResult().hasMatchedOption(option)) {
        throw usage(
            option + " is for an SAE: name one with RELEASE and SAE_ID or --dir, or leave it out");
      }
    }
  }

  /** Where the user wants to compute. */
  Device device() {
    return device;
  }

  /** Whether the user wants the reference engine. */
  boolean isReference() {
    return engine == LoadOptions.Engine.REFERENCE;
  }

  /** Whether prepared data may be kept on disk. */
  boolean keepsPreparedData() {
    return !noPreparedCache;
  }

  /** The entry of the registry for the SAE that the user named, if it has one. */
  Optional<SaeEntry> entry() throws IOException {
    if (dir != null) {
      return Optional.empty();
    }
    requireRelease();
    ReleaseRegistry known = registry.registry();
    if (!known.contains(release) && release.contains("/")) {
      return Optional.empty();
    }
    return Optional.of(known.find(release, saeId()));
  }

  /** Active latents per token that the SAE was trained with, if its files or the registry tell. */
  OptionalInt trainingK(SAE sae) throws IOException {
    return trainingK(entry(), sae);
  }

  /** The same of any SAE. */
  static OptionalInt trainingK(Optional<SaeEntry> entry, SAE sae) {
    OptionalInt published = entry.map(SaeEntry::trainingK).orElse(OptionalInt.empty());
    return published.isPresent() ? published : sae.config().k();
  }

  /** The release tables in use. */
  ReleaseRegistry releases() throws RegistryException {
    return registry.registry();
  }

  /** How another command, or Java, names the SAE that the user named. */
  LoadWords words() throws RegistryException {
    requireReleaseOrDir();
    return dir != null
        ? LoadWords.ofFolder(Path.of(dir), prefix, foldDecoderNorms)
        : LoadWords.ofRelease(release, saeId(), prefix, foldDecoderNorms);
  }

  /** The same of another SAE of a release, loaded with the same options. */
  LoadWords words(String otherRelease, String otherId) {
    return LoadWords.ofRelease(otherRelease, otherId, prefix, foldDecoderNorms);
  }

  /** Whether the user, or the environment, wants no request. */
  boolean isOffline() {
    return hub.client(ProgressListener.none()).isOffline();
  }

  /** Whether {@link #open} needs no download of weights. */
  boolean isAtHand() throws IOException {
    Optional<SaeLocation> location = entry().map(SaeEntry::location);
    if (location.isPresent() && location.get() instanceof SaeLocation.Hub folder) {
      SaeFiles files = SaeFiles.of(folder, hub.revision(), entry().orElseThrow().format());
      return hub.client(ProgressListener.none()).findCached(files.weights()).isPresent();
    }
    return dir != null || location.isPresent();
  }

  /** What the user named, for people. */
  String name() throws IOException {
    return dir != null ? dir : (release + " " + saeId()).strip();
  }

  /** What the user gave, for a program that loads SAEs elsewhere. */
  LoadSettings settings() throws RegistryException {
    if (dir != null) {
      requireNoRelease();
    } else {
      requireRelease();
    }
    return new LoadSettings(
        Optional.ofNullable(dir),
        Optional.ofNullable(release),
        dir != null ? "" : saeId(),
        Optional.ofNullable(prefix),
        widths,
        Optional.ofNullable(scalingFactor),
        device,
        Optional.ofNullable(dtype),
        foldDecoderNorms,
        engine,
        !noPreparedCache);
  }

  /** The options on the Hub. */
  HubMixin hub() {
    return hub;
  }

  /** How the user wants SAEs to be loaded. */
  LoadOptions options(Output output) throws RegistryException {
    LoadOptions options =
        LoadOptions.defaults()
            .device(device)
            .engine(engine)
            .widths(widths)
            .foldDecoderNorms(foldDecoderNorms)
            .preparedCache(!noPreparedCache)
            .registry(registry.registry())
            .hub(hub.options(output.downloadBars()));
    options = dtype != null ? options.dtype(dtype) : options;
    options = scalingFactor != null ? options.normScalingFactor(scalingFactor) : options;
    return prefix != null ? options.prefix(prefix) : options;
  }

  private String saeId() throws RegistryException {
    if (saeId != null) {
      return saeId;
    }
    ReleaseRegistry known = registry.registry();
    if (!known.contains(release) && release.contains("/")) {
      return ""; // The top of the repository.
    }
    Release found = known.release(release);
    String first = found.saes().get(0).saeId();
    if (found.saes().size() > 1) {
      throw usage(
          "release %s has %d SAEs; name one of them, such as %s ('list %s' shows all)"
              .formatted(release, found.saes().size(), first, release));
    }
    return first;
  }

  private void requireReleaseOrDir() {
    if (dir == null) {
      requireRelease();
    }
  }

  private void requireRelease() {
    if (release == null) {
      throw usage("expected RELEASE and SAE_ID, or --dir FOLDER, got none");
    }
    if (Names.isPath(release)) {
      throw usage(
          "expected a release, or owner/repo on the Hub, got the path '%s'; name the folder of an SAE with --dir"
              .formatted(release));
    }
  }

  private void requireNoRelease() {
    if (release != null) {
      throw usage("expected either RELEASE and SAE_ID or --dir FOLDER, got both");
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
