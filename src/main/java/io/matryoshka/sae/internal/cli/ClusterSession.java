package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.spark.host.HostHub;
import io.matryoshka.sae.internal.spark.host.HostModel;
import io.matryoshka.sae.internal.spark.host.HostSae;
import io.matryoshka.sae.internal.spark.job.SaeJobs;
import io.matryoshka.sae.internal.spark.job.TextJobs;
import io.matryoshka.sae.internal.spark.store.FileRef;
import io.matryoshka.sae.internal.spark.store.HadoopPaths;
import io.matryoshka.sae.internal.spark.store.StoreFolder;
import io.matryoshka.sae.registry.Release;
import io.matryoshka.sae.store.StoredFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;

/** Spark as {@code spark-submit} has set it up, and what the options of a command open on it. */
final class ClusterSession {

  private static final Pattern URI_FORM = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*:/.*");

  private final SparkSession spark;

  private ClusterSession(SparkSession spark) {
    this.spark = spark;
  }

  static ClusterSession start() {
    return new ClusterSession(SparkSession.builder().appName("matryoshka-sae").getOrCreate());
  }

  private Configuration hadoop() {
    return spark.sparkContext().hadoopConfiguration();
  }

  /** Opens the SAE that the user named on the driver. */
  SaeJobs sae(LoadSettings given, HubMixin hub) throws IOException {
    return SaeJobs.on(
        spark,
        with(
            given.dir().isPresent()
                ? HostSae.folder(given.dir().get())
                : HostSae.of(given.release().orElseThrow(), given.saeId()),
            given,
            hub));
  }

  /** Opens another SAE of a release, loaded with the same options. */
  SaeJobs sae(String release, String saeId, LoadMixin load) throws IOException {
    return SaeJobs.on(spark, with(HostSae.of(release, saeId), load.settings(), load.hub()));
  }

  private static HostSae with(HostSae sae, LoadSettings given, HubMixin hub) {
    HostSae host =
        sae.device(given.device())
            .engine(given.engine())
            .foldDecoderNorms(given.foldDecoderNorms())
            .preparedCache(given.preparedCache());
    host = given.prefix().map(host::prefix).orElse(host);
    host = given.widths().isEmpty() ? host : host.widths(given.widths());
    host = given.scalingFactor().map(host::scalingFactor).orElse(host);
    host = given.dtype().map(host::dtype).orElse(host);
    return host.hub(forHosts(hub));
  }

  private static HostHub forHosts(HubMixin given) {
    HostHub hub = HostHub.unsaid();
    hub = given.revision().map(hub::revision).orElse(hub);
    hub = given.isOffline() ? hub.offline(true) : hub;
    hub = given.endpoint().map(hub::endpoint).orElse(hub);
    return given.cacheDir().map(Path::toString).map(hub::cacheDir).orElse(hub);
  }

  /** Opens the language model that the user named on the driver. */
  TextJobs model(ModelMixin model, HubMixin hub) throws IOException {
    return model(model.name().orElseThrow(), model, hub);
  }

  /**
   * Opens the language model that the user named, else that of the release, else the one that the
   * files of the SAE name.
   */
  TextJobs model(ModelMixin model, SAE sae, LoadMixin load) throws IOException {
    Optional<String> ofRelease = load.knownRelease().map(Release::model);
    String name =
        model
            .name()
            .or(() -> ofRelease)
            .or(() -> sae.config().modelName())
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "the configuration of the SAE names no language model; name one with"
                            + " --model"));
    return model(name, model, load.hub());
  }

  private TextJobs model(String name, ModelMixin model, HubMixin hub) throws IOException {
    HostModel host =
        (isFolder(name) ? HostModel.folder(name) : HostModel.of(name))
            .bfloat16Products(model.isBfloat16());
    return TextJobs.on(spark, host.hub(forHosts(hub)));
  }

  /** A URI, a path, or a relative one where the driver has such a folder. */
  private static boolean isFolder(String name) {
    return URI_FORM.matcher(name).matches() || Names.isPath(name) || isFolderHere(name);
  }

  private static boolean isFolderHere(String name) {
    try {
      return Files.isDirectory(Path.of(name));
    } catch (InvalidPathException e) {
      return false;
    }
  }

  /** Finds a file of any store. */
  StoredFile file(String name) throws IOException {
    return FileRef.of(HadoopPaths.qualify(name, hadoop())).file(hadoop());
  }

  /** The folders of the SAE and the model that the user named as such. */
  List<String> foldersOf(LoadSettings sae, ModelMixin model) {
    return Stream.concat(sae.dir().stream(), model.name().stream().filter(ClusterSession::isFolder))
        .toList();
  }

  /**
   * Refuses results that would take the place of what is read, or of each other, before the work
   * that they come from.
   *
   * @param inputs what the command reads
   * @param folders those of the SAE and the model, none of whose files may be replaced
   * @param results what it writes; one that was not asked for is {@code null}
   */
  void requireApart(List<String> inputs, List<String> folders, String... results)
      throws IOException {
    Set<org.apache.hadoop.fs.Path> read = new HashSet<>();
    for (String input : inputs) {
      read.add(HadoopPaths.qualify(input, hadoop()));
    }
    Set<org.apache.hadoop.fs.Path> ofWeights = new HashSet<>();
    for (String folder : folders) {
      ofWeights.add(HadoopPaths.qualify(folder, hadoop()));
    }
    Set<org.apache.hadoop.fs.Path> written = new HashSet<>();
    for (String result : results) {
      if (result == null) {
        continue;
      }
      org.apache.hadoop.fs.Path place = HadoopPaths.qualify(result, hadoop());
      if (read.contains(place)) {
        throw new IllegalArgumentException(
            "'%s' is what --input names and would be overwritten; name another".formatted(result));
      }
      if (ofWeights.contains(place)
          || ofWeights.contains(place.getParent()) && !OutputPaths.isReport(place.getName())) {
        throw new IllegalArgumentException(
            "'%s' is, or lies in, the folder of the SAE or the model, whose files are read; write to another folder"
                .formatted(result));
      }
      if (!written.add(place)) {
        throw new IllegalArgumentException(
            "two results go to '%s'; name a file for each".formatted(result));
      }
    }
  }

  /** Writes a text to a file of any store that was asked for; it appears whole. */
  void write(String target, String text) throws IOException {
    if (target != null) {
      org.apache.hadoop.fs.Path path = HadoopPaths.qualify(target, hadoop());
      StoreFolder.of(path.getParent(), hadoop()).write(path.getName(), text);
    }
  }
}
