package io.matryoshka.sae.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The fenced blocks of a Markdown document. */
public final class CodeBlocks {

  private static final Pattern BLOCK =
      Pattern.compile("^```([^\n`]*)\n([\\s\\S]*?)^```$", Pattern.MULTILINE);

  /**
   * A block.
   *
   * @param info what follows the opening fence, such as {@code java compile-only}
   * @param line where it begins, from 1
   */
  public record Block(String info, String text, int line) {
    /** Whether it is Java code that needs no Spark. */
    public boolean isJava() {
      return info.equals("java") || (info.startsWith("java ") && !isSpark());
    }

    /** Whether it is Java code that needs Spark. */
    public boolean isSpark() {
      return info.equals("java spark");
    }

    /** Whether it is Java code that can run on the demo. */
    public boolean isToRun() {
      return info.equals("java");
    }

    /** Whether it is all that the block before it prints. */
    public boolean isOutput() {
      return info.equals("text output");
    }

    /** Whether it is a part of what the block before it prints. */
    public boolean isExcerpt() {
      return info.equals("text excerpt");
    }

    /** Whether it holds commands of a shell. */
    public boolean isShell() {
      return info.equals("sh");
    }
  }

  private CodeBlocks() {}

  /** The blocks in the order of the document. */
  public static List<Block> of(Path document) throws IOException {
    String text = Files.readString(document);
    List<Block> blocks = new ArrayList<>();
    Matcher matcher = BLOCK.matcher(text);
    while (matcher.find()) {
      int line = 1 + (int) text.substring(0, matcher.start()).lines().count();
      blocks.add(new Block(matcher.group(1).strip(), matcher.group(2), line));
    }
    return blocks;
  }
}
