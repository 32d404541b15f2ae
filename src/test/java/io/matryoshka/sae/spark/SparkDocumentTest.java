package io.matryoshka.sae.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.support.CodeBlocks;
import io.matryoshka.sae.support.CodeBlocks.Block;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Java code of docs/spark.md compiles. */
@Tag("spark")
class SparkDocumentTest {

  private static final String START =
      """
      import io.matryoshka.sae.eval.*;
      import io.matryoshka.sae.explore.*;
      import io.matryoshka.sae.lm.Tokens;
      import io.matryoshka.sae.lm.TokenIdFile;
      import io.matryoshka.sae.spark.*;
      import io.matryoshka.sae.stream.*;
      import java.nio.file.Path;
      import java.util.List;
      import org.apache.spark.SparkConf;
      import org.apache.spark.sql.*;
      final class %s { void run() throws Exception {
      %s
      }}
      """;

  @TempDir Path folder;

  @Test
  void javaBlocks_compileTogether() throws IOException {
    StringBuilder code = new StringBuilder();
    List<Block> blocks =
        CodeBlocks.of(SourceFiles.PROJECT.resolve("docs/spark.md")).stream()
            .filter(Block::isSpark)
            .toList();
    blocks.forEach(block -> code.append(block.text()));
    assertThat(blocks).hasSizeGreaterThan(1);
    Path source = Files.writeString(folder.resolve("Blocks.java"), START.formatted("Blocks", code));

    StringWriter messages = new StringWriter();
    var compiler = ToolProvider.getSystemJavaCompiler();
    try (var files = compiler.getStandardFileManager(null, null, null)) {
      List<String> options =
          List.of("-cp", SparkCluster.classPath(), "-d", folder.toString(), "-proc:none");
      boolean compiles =
          compiler
              .getTask(messages, files, null, options, null, files.getJavaFileObjects(source))
              .call();
      assertThat(compiles).as("%s%n%s", messages, code).isTrue();
    }
  }
}
