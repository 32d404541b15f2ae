package io.matryoshka.sae.internal.spark.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.internal.io.CacheFolder;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.spark.ModelRef;
import io.matryoshka.sae.spark.SaeRef;
import io.matryoshka.sae.spark.SparkRuns;
import io.matryoshka.sae.spark.SparkTextRuns;
import io.matryoshka.sae.spark.TextRunOptions;
import io.matryoshka.sae.spark.support.Bookworm;
import io.matryoshka.sae.spark.support.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights of another store than the disk are copied to each host once, and then used. */
@Tag("spark")
class FolderCopyTest {

  @TempDir private Path folder;

  private final Configuration hadoop = LocalSpark.session().sparkContext().hadoopConfiguration();
  private Path source;

  @BeforeEach
  void write() throws IOException {
    System.setProperty(CacheFolder.PROPERTY, folder.resolve("cache").toString());
    source = Files.createDirectories(folder.resolve("source"));
    Files.writeString(source.resolve("config.json"), "{}");
    Files.write(source.resolve("weights"), new byte[3000]);
    Files.createDirectories(source.resolve("folder-in-it"));
  }

  @AfterEach
  void clear() {
    System.clearProperty(CacheFolder.PROPERTY);
  }

  private Path copy() throws IOException {
    return FolderCopy.onThisHost("publish://" + source, hadoop);
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void copy_ofAStore_isMadeOnceAndAgainForAnotherContent() throws IOException {
    Path first = copy();

    assertThat(names(first)).containsExactly("config.json", "weights");
    assertThat(first.resolve("weights")).hasBinaryContent(new byte[3000]);
    FileTime made = Files.getLastModifiedTime(first.resolve("weights"));
    assertThat(copy()).isEqualTo(first);
    assertThat(Files.getLastModifiedTime(first.resolve("weights"))).isEqualTo(made);

    Files.write(source.resolve("weights"), new byte[3001]);
    assertThat(copy()).isNotEqualTo(first);
    assertThat(copy().resolve("weights")).hasSize(3001);
  }

  @Test
  void copy_byManyAtOnce_isOne() {
    List<Path> copies =
        IntStream.range(0, 8).parallel().mapToObj(i -> onThisHost()).distinct().toList();

    assertThat(copies).hasSize(1);
    assertThat(copies.get(0).resolve("weights")).hasSize(3000);
  }

  private Path onThisHost() {
    try {
      return copy();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** As {@code kill -9} leaves it. */
  @Test
  void copy_besideAHalfOne_isWhole() throws IOException {
    Path copies = copy().getParent();
    Path half = copies.resolve(copy().getFileName() + ".part");
    Files.move(copy(), half);
    Files.write(half.resolve("weights"), new byte[10]);
    Files.write(half.resolve("other"), new byte[10]);

    assertThat(names(copy())).containsExactly("config.json", "weights");
    assertThat(copy().resolve("weights")).hasSize(3000);
    assertThat(half).doesNotExist();
  }

  @Test
  void folder_ofTheDisk_isUsedWhereItLies() throws IOException {
    assertThat(FolderCopy.onThisHost(source.toString(), hadoop)).isEqualTo(source);
    assertThat(folder.resolve("cache")).doesNotExist();
  }

  @Test
  void folder_thatIsNone_isNamed() {
    assertThatThrownBy(() -> FolderCopy.onThisHost("publish://" + source + "/weights", hadoop))
        .isInstanceOf(NotDirectoryException.class)
        .hasMessageContaining("expected a folder with the files of an SAE or a language model");
    assertThatThrownBy(() -> FolderCopy.onThisHost("publish://" + source + "/none", hadoop))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("publish:")
        .hasMessageContaining("/none");
  }

  @Test
  void modelAndSaeOfAStore_giveTheFiguresOfThoseOnTheDisk() throws IOException {
    List<Tokens> texts = List.of(Tokens.of(2, 30, 40, 50, 60), Tokens.of(2, 7, 8, 9));

    Evaluation fromStore = evaluate("publish://", texts);

    assertThat(fromStore).isEqualTo(evaluate("", texts));
    assertThat(names(folder.resolve("cache/folders")).stream().filter(n -> !n.endsWith(".lock")))
        .hasSize(2);
  }

  private Evaluation evaluate(String scheme, List<Tokens> texts) throws IOException {
    SparkTextRuns runs =
        SparkTextRuns.on(LocalSpark.session(), ModelRef.folder(scheme + Bookworm.MODEL));
    SparkRuns saes =
        SparkRuns.on(LocalSpark.session(), SaeRef.folder(scheme + Bookworm.SAE_FOLDER));
    return runs.evaluate(
        saes,
        texts,
        folder.resolve("work").toString(),
        TextRunOptions.defaults(),
        EvaluationRunOptions.defaults());
  }
}
