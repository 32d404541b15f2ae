package io.matryoshka.sae.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.support.PublicSignatures;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the classes of the package name, which decides on the Sparks that they run on. */
@Tag("spark")
class SparkClassesTest {

  private static final String PACKAGE = "io/matryoshka/sae/spark";

  /** Methods of Spark differ between Scala 2.12 and 2.13 where they name a type of Scala. */
  @Test
  void classFiles_nameNoTypeOfScala() throws IOException {
    Path all = SourceFiles.PROJECT.resolve("target/classes/io/matryoshka/sae");
    List<Path> classes = new ArrayList<>(SourceFiles.list(all.resolve("spark"), ".class"));
    classes.addAll(SourceFiles.list(all.resolve("internal/spark"), ".class"));
    SourceFiles.list(all.resolve("internal/cli"), ".class").stream()
        .filter(file -> file.getFileName().toString().startsWith("Cluster"))
        .forEach(classes::add);
    assertThat(classes).hasSizeGreaterThan(60);
    for (Path file : classes) {
      String constants = Files.readString(file, StandardCharsets.ISO_8859_1);
      assertThat(constants.contains("scala/")).as("%s names a type of Scala", file).isFalse();
    }
  }

  @Test
  void publicSignatures_nameNoTypeOfAHiddenPackage() throws Exception {
    List<String> leaks = new ArrayList<>();
    for (Path source :
        SourceFiles.list(SourceFiles.PROJECT.resolve("src/main/java").resolve(PACKAGE), ".java")) {
      String name = source.getFileName().toString().replace(".java", "");
      if (!name.equals("package-info")) {
        Class<?> type = Class.forName(PACKAGE.replace('/', '.') + "." + name);
        leaks.addAll(
            PublicSignatures.naming(type, text -> text.contains("io.matryoshka.sae.internal.")));
      }
    }
    assertThat(leaks).isEmpty();
  }
}
