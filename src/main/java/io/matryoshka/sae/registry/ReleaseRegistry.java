package io.matryoshka.sae.registry;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The known releases of SAEs: those that ship with the library, and those of a user's own files.
 *
 * <p>A registry does not change; {@link #withFile} gives a larger one.
 */
public final class ReleaseRegistry {

  private static final String RESOURCES = "/io/matryoshka/sae/releases/";

  private final Map<String, Table> releases;

  private ReleaseRegistry(Map<String, Table> releases) {
    this.releases = releases;
  }

  /**
   * Returns the registry of the releases that ship with the library.
   *
   * @return the registry, the same object at every call
   */
  public static ReleaseRegistry bundled() {
    return Bundled.REGISTRY;
  }

  /**
   * Reads registry files and adds them to the releases that ship with the library.
   *
   * @param files the files, added in this order
   * @return the registry
   * @throws RegistryException if a file cannot be read or is malformed, or a release has a known
   *     name
   */
  public static ReleaseRegistry load(Path... files) throws RegistryException {
    ReleaseRegistry registry = bundled();
    for (Path file : files) {
      registry = registry.withFile(file);
    }
    return registry;
  }

  /**
   * Reads a registry file and adds its releases. Folders that the file names are relative to the
   * folder that holds the file.
   *
   * @param file the file
   * @return a registry with the releases of this one, followed by the new ones
   * @throws RegistryException if the file cannot be read or is malformed, or a release has a name
   *     that this registry holds already
   */
  public ReleaseRegistry withFile(Path file) throws RegistryException {
    Objects.requireNonNull(file, "file");
    Path folder = file.toAbsolutePath().getParent();
    Map<String, Table> all = new LinkedHashMap<>(releases);
    for (Release release : RegistryReader.read(file.toString(), readBytes(file), folder)) {
      if (all.put(release.id(), Table.of(release)) != null) {
        throw new RegistryException(
            file.toString(),
            "$.release",
            "expected a name that is not taken, got '%s', which is known already; rename the release"
                .formatted(release.id()));
      }
    }
    return new ReleaseRegistry(all);
  }

  /**
   * Lists the releases.
   *
   * @return all releases, those of the library first, in a fixed order
   */
  public List<Release> releases() {
    return releases.keySet().stream().map(this::release).toList();
  }

  /**
   * Tells whether a release is known.
   *
   * @param release the id of the release
   * @return whether {@link #release} finds it
   */
  public boolean contains(String release) {
    return releases.containsKey(Objects.requireNonNull(release, "release"));
  }

  /**
   * Finds a release.
   *
   * @param id the id of the release
   * @return the release
   * @throws UnknownReleaseException if there is none; its message names the nearest ids
   */
  public Release release(String id) {
    if (!contains(id)) {
      throw new UnknownReleaseException(id, suggest(id), List.copyOf(releases.keySet()));
    }
    return releases.get(id).release(id);
  }

  /**
   * Finds an SAE.
   *
   * @param release the id of the release
   * @param saeId the id of the SAE in the release
   * @return the SAE
   * @throws UnknownReleaseException if there is no such release
   * @throws UnknownSaeException if the release has no such SAE
   */
  public SaeEntry find(String release, String saeId) {
    return release(release).sae(saeId);
  }

  /**
   * Names the releases whose id is nearest to a given text.
   *
   * @param release the text, need not be a valid id
   * @return at most three ids, the nearest first, equally near ones in the order of {@link
   *     #releases}; empty if nothing is near
   */
  public List<String> suggest(String release) {
    Objects.requireNonNull(release, "release");
    return Suggestions.names(release, List.copyOf(releases.keySet()));
  }

  private static byte[] readBytes(Path file) throws RegistryException {
    try {
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new RegistryException(file.toString(), "$", "expected a file, found none", e);
    } catch (IOException e) {
      throw new RegistryException(file.toString(), "$", "cannot be read: " + e.getMessage(), e);
    }
  }

  /** A file of releases, which is read when one of them is first asked for. */
  private static final class Table {

    private final String file;
    private Map<String, Release> releases;

    private Table(String file, Map<String, Release> releases) {
      this.file = file;
      this.releases = releases;
    }

    static Table of(Release release) {
      return new Table("", Map.of(release.id(), release));
    }

    synchronized Release release(String id) {
      if (releases == null) {
        releases = Bundled.read(file);
      }
      return releases.get(id);
    }
  }

  /** Knows the tables of the library by the list of their names. */
  private static final class Bundled {

    static final ReleaseRegistry REGISTRY = new ReleaseRegistry(tables());

    private static Map<String, Table> tables() {
      Map<String, Table> byFile = new LinkedHashMap<>();
      Map<String, Table> byRelease = new LinkedHashMap<>();
      try {
        RegistryReader.readIndex("index.json", resource("index.json"))
            .forEach(
                (release, file) ->
                    byRelease.put(
                        release, byFile.computeIfAbsent(file, name -> new Table(name, null))));
      } catch (IOException e) {
        throw damaged(e);
      }
      return byRelease;
    }

    static Map<String, Release> read(String file) {
      Map<String, Release> releases = new LinkedHashMap<>();
      try {
        // No table of the library names a folder on disk, so the folder given is never used.
        for (Release release : RegistryReader.read(file, resource(file), Path.of(""))) {
          releases.put(release.id(), release);
        }
      } catch (IOException e) {
        throw damaged(e);
      }
      return releases;
    }

    private static UncheckedIOException damaged(IOException cause) {
      return new UncheckedIOException("the release tables of the library are damaged", cause);
    }

    private static byte[] resource(String name) throws IOException {
      try (InputStream in = ReleaseRegistry.class.getResourceAsStream(RESOURCES + name)) {
        if (in == null) {
          throw new IOException("resource " + RESOURCES + name + " is missing");
        }
        return in.readAllBytes();
      }
    }
  }
}
