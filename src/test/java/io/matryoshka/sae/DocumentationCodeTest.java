package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.support.CodeBlocks;
import io.matryoshka.sae.support.CodeBlocks.Block;
import io.matryoshka.sae.support.SourceFiles;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.lang.invoke.MethodHandles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * The Java code of the documents compiles; blocks that are not marked {@code compile-only} run on
 * the demo, and print what a following block {@code text output} shows.
 */
class DocumentationCodeTest {

  private static final Path README = SourceFiles.PROJECT.resolve("README.md");
  private static final Path CONSUMER = SourceFiles.PROJECT.resolve("src/it/first-example");
  private static final String IMPORTS =
      Stream.of(
              "ai.djl.Device",
              "ai.djl.ndarray.*",
              "ai.djl.ndarray.types.*",
              "io.matryoshka.sae.eval.*",
              "io.matryoshka.sae.explore.*",
              "io.matryoshka.sae.hub.*",
              "io.matryoshka.sae.lm.*",
              "io.matryoshka.sae.lm.Tokens",
              "io.matryoshka.sae.registry.*",
              "io.matryoshka.sae.safetensors.*",
              "io.matryoshka.sae.stream.*",
              "java.nio.file.*",
              "java.util.*")
          .map(name -> "import " + name + ";")
          .reduce("", String::concat);

  @TempDir private Path folder;

  @Test
  void firstExample_isTheConsumerProject() throws IOException {
    List<Block> blocks = CodeBlocks.of(README);
    int first = 0;
    while (!blocks.get(first).isJava()) {
      first++;
    }
    assertThat(blocks.get(first).text())
        .isEqualTo(Files.readString(CONSUMER.resolve("src/main/java/example/FirstExample.java")));
    assertThat(blocks.get(first + 1).text())
        .isEqualTo(Files.readString(CONSUMER.resolve("expected-output.txt")));
  }

  @TestFactory
  Stream<DynamicTest> blocks_compileAndRun() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (Path document : SourceFiles.documents()) {
      List<Block> blocks = CodeBlocks.of(document);
      for (int i = 0; i < blocks.size(); i++) {
        Block block = blocks.get(i);
        boolean shown = i + 1 < blocks.size() && blocks.get(i + 1).isOutput();
        String output = shown ? blocks.get(i + 1).text() : "";
        if (block.isJava() && !block.text().contains("public final class")) {
          tests.add(
              DynamicTest.dynamicTest(
                  document.getFileName() + ":" + block.line(), () -> check(block, shown, output)));
        }
      }
    }
    return tests.stream();
  }

  private void check(Block block, boolean shown, String output) throws Exception {
    byte[] compiled = compile(block);
    if (!block.isToRun()) {
      return;
    }
    Class<?> type = MethodHandles.lookup().defineClass(compiled);
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream console = System.out;
    Locale locale = Locale.getDefault();
    try (Snippet snippet = (Snippet) type.getDeclaredConstructor().newInstance()) {
      Locale.setDefault(Locale.ROOT);
      System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
      snippet.run();
    } finally {
      System.setOut(console);
      Locale.setDefault(locale);
    }
    if (shown) {
      assertThat(printed.toString(StandardCharsets.UTF_8).lines())
          .containsExactlyElementsOf(output.lines().toList());
    }
  }

  private byte[] compile(Block block) throws IOException {
    String name = "Block" + block.line() + "_" + Integer.toHexString(block.text().hashCode());
    Path source = folder.resolve(name + ".java");
    Files.writeString(
        source,
        "package io.matryoshka.sae;"
            + IMPORTS
            + "final class "
            + name
            + " extends Snippet {"
            + name
            + "() throws java.io.IOException {} @Override void run() throws Exception {\n"
            + block.text()
            + "}}");
    var compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    try (var files = compiler.getStandardFileManager(null, Locale.ROOT, StandardCharsets.UTF_8)) {
      boolean compiles =
          compiler
              .getTask(
                  messages,
                  files,
                  null,
                  List.of("-proc:none", "-d", folder.toString(), "-cp", classPath()),
                  null,
                  files.getJavaFileObjects(source))
              .call();
      assertThat(compiles).as("%s", messages).isTrue();
    }
    return Files.readAllBytes(folder.resolve("io/matryoshka/sae/" + name + ".class"));
  }

  private static String classPath() {
    String surefire = System.getProperty("surefire.test.class.path");
    return surefire == null
        ? System.getProperty("java.class.path")
        : surefire.replace("\n", File.pathSeparator);
  }
}
