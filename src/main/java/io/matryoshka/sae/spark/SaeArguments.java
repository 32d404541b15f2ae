package io.matryoshka.sae.spark;

import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.safetensors.Dtype;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Names an SAE and how to load it, with the words of the command line. */
final class SaeArguments {

  private static final Map<String, Dtype> DTYPES =
      Map.of(
          "float32", Dtype.F32,
          "float64", Dtype.F64,
          "float16", Dtype.F16,
          "bfloat16", Dtype.BF16);

  @Parameters(index = "0", arity = "0..1", paramLabel = "RELEASE", description = "A release.")
  private String release;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "SAE_ID",
      description = "An SAE of the release.")
  private String saeId;

  @Option(
      names = "--dir",
      paramLabel = "FOLDER",
      description = "Folder of an SAE, a path or URI that every host can read.")
  private String dir;

  @Option(names = "--prefix", paramLabel = "WIDTH", description = "Load only the first latents.")
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
      description = "Factor on the activations that files do not tell.")
  private Double scalingFactor;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "cpu",
      description = "cpu (default), cuda, or cuda:N on every host.")
  private String device;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description = "float32, float64, float16 or bfloat16; default: that of cfg.json.")
  private String dtype;

  @Option(names = "--fold-decoder-norms", description = "Multiply latents by decoder norms.")
  private boolean foldDecoderNorms;

  @Option(
      names = "--engine",
      paramLabel = "ENGINE",
      defaultValue = "fast",
      description = "fast (default) or reference.")
  private LoadOptions.Engine engine;

  @Mixin private HubArguments hub;

  SaeRef ref() {
    if ((dir == null) == (release == null)) {
      throw new IllegalArgumentException(
          "expected RELEASE and SAE_ID, or --dir FOLDER, got " + (dir == null ? "none" : "both"));
    }
    if (dir == null && saeId == null) {
      throw new IllegalArgumentException("expected SAE_ID after RELEASE " + release);
    }
    SaeRef ref = dir != null ? SaeRef.folder(dir) : SaeRef.of(release, saeId);
    ref = ref.device(Devices.parse(device)).engine(engine).foldDecoderNorms(foldDecoderNorms);
    ref = prefix != null ? ref.prefix(prefix) : ref;
    ref = widths.isEmpty() ? ref : ref.widths(widths);
    ref = scalingFactor != null ? ref.scalingFactor(scalingFactor) : ref;
    ref = dtype != null ? ref.dtype(dtype()) : ref;
    ref = hub.revision().map(ref::revision).orElse(ref);
    ref = hub.isOffline() ? ref.offline(true) : ref;
    return hub.cacheDir().map(ref::cacheDir).orElse(ref);
  }

  private Dtype dtype() {
    Dtype known = DTYPES.get(dtype);
    if (known == null) {
      throw new IllegalArgumentException(
          "--dtype: expected float32, float64, float16 or bfloat16, got '%s'".formatted(dtype));
    }
    return known;
  }
}
