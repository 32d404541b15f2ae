package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.hub.ProgressListener;
import io.matryoshka.sae.internal.io.CacheFolder;
import io.matryoshka.sae.registry.RegistryException;
import io.matryoshka.sae.registry.Release;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.registry.SaeLocation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * The files of SAEs and models that no option names as a path: those of releases, and of caches.
 */
final class LocatedFiles {

  private final CommandSpec command;

  LocatedFiles(CommandSpec command) {
    this.command = command;
  }

  /**
   * A folder of an SAE or a model.
   *
   * @param release the release that brings it
   * @param ofSae whether it is that of an SAE
   */
  record Folder(String release, Path path, boolean ofSae) {}

  /** The folders that the user's own release tables name; none if a table cannot be read. */
  List<Folder> folders() {
    Optional<RegistryMixin> tables = mixins(command, RegistryMixin.class).findFirst();
    if (tables.isEmpty() || !tables.get().isGiven()) {
      return List.of();
    }
    List<Folder> folders = new ArrayList<>();
    try {
      for (Release release : tables.get().registry().releases()) {
        release.modelLocation().ifPresent(at -> add(folders, release, at, false));
        // The tables of the library, whose grids are large, name no folder on disk.
        if (release.saes().get(0).location() instanceof SaeLocation.Directory) {
          release.saes().forEach(sae -> add(folders, release, sae.location(), true));
        }
      }
    } catch (RegistryException e) {
      return List.of(); // The command says what is wrong with the table.
    }
    return folders;
  }

  private static void add(
      List<Folder> folders, Release release, SaeLocation location, boolean ofSae) {
    if (location instanceof SaeLocation.Directory directory) {
      folders.add(new Folder(release.id(), directory.path(), ofSae));
    }
  }

  /** The SAEs for each of which a folder of results gets a place; none without --layers. */
  List<SaeEntry> layers() {
    Optional<LayersMixin> layers = mixins(command, LayersMixin.class).findFirst();
    Optional<LoadMixin> load = mixins(command, LoadMixin.class).findFirst();
    if (layers.isEmpty() || load.isEmpty() || !layers.get().isGiven()) {
      return List.of();
    }
    try {
      return load.get().entries(layers.get());
    } catch (RegistryException | IllegalArgumentException | ParameterException e) {
      return List.of(); // The command says what is wrong with the words.
    }
  }

  /** Whether a file is, or would be, one of a cache: the Hub's, or that of this library. */
  boolean isInCache(Path place) {
    try {
      return mixins(command, HubMixin.class)
              .map(hub -> hub.options(ProgressListener.none()).cacheDir())
              .map(OutputPaths::place)
              .anyMatch(cache -> isInRepository(cache, place))
          || place.startsWith(OutputPaths.place(CacheFolder.root()));
    } catch (IllegalArgumentException e) {
      return false; // The command says what is wrong with the name of the cache.
    }
  }

  /** People may keep results of their own beside the repositories. */
  private static boolean isInRepository(Path cache, Path place) {
    return place.startsWith(cache)
        && place.getNameCount() > cache.getNameCount()
        && place.getName(cache.getNameCount()).toString().matches("(models|datasets|spaces)--.*");
  }

  private static <T> Stream<T> mixins(CommandSpec spec, Class<T> type) {
    return spec.mixins().values().stream()
        .flatMap(
            mixin ->
                Stream.concat(
                    Stream.of(mixin.userObject()).filter(type::isInstance).map(type::cast),
                    mixins(mixin, type)));
  }
}
