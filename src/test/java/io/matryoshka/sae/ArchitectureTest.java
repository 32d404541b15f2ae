package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.support.PublicSignatures;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Who may import whom: the table of docs/architecture.md against the sources. */
class ArchitectureTest {

  private static final String TABLE = "docs/architecture.md";
  private static final String EVERYTHING = "everything";
  private static final Pattern ROW =
      Pattern.compile("^\\| `([\\w.]+)` \\|[^|]*\\|([^|]*)\\|([^|]*)\\|$", Pattern.MULTILINE);
  private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");
  private static final Pattern OWN =
      Pattern.compile("\\bio\\.matryoshka\\.sae(?:\\.([a-z]\\w*(?:\\.[a-z]\\w*)*))?");
  private static final Pattern IMPORT =
      Pattern.compile("^import (?:static )?([\\w.]+)", Pattern.MULTILINE);
  private static final Pattern JDK_OR_OWN =
      Pattern.compile("javax?\\..*|io\\.matryoshka\\.sae\\..*");

  private static final Pattern NOT_FOR_USERS =
      Pattern.compile("io\\.matryoshka\\.sae\\.internal\\.");

  private static final String HIDDEN = "internal.";
  private static final String CLI = "internal.cli";
  private static final String BASE = "io.matryoshka.sae.";

  /** What one package may use. */
  private record Rule(boolean everything, Set<String> packages, Set<String> libraries) {}

  private static final Map<String, Rule> RULES = new LinkedHashMap<>();

  @BeforeAll
  static void readTable() throws IOException {
    String document = Files.readString(SourceFiles.PROJECT.resolve(TABLE));
    ROW.matcher(document)
        .results()
        .forEach(
            row ->
                RULES.put(
                    row.group(1),
                    new Rule(
                        row.group(2).strip().equals(EVERYTHING),
                        quoted(row.group(2)),
                        quoted(row.group(3)))));
  }

  private static Set<String> quoted(String cell) {
    return QUOTED
        .matcher(cell)
        .results()
        .map(match -> match.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void packages_areThoseOfTheTable() throws IOException {
    Set<String> found = new TreeSet<>();
    for (Path source : SourceFiles.main()) {
      found.add(SourceFiles.packageOf(source));
    }
    assertThat(RULES.keySet()).as("packages in %s", TABLE).containsAll(found);
  }

  @Test
  void references_toOwnPackages_arePermitted() throws IOException {
    List<String> forbidden = new ArrayList<>();
    for (Path source : SourceFiles.main()) {
      String from = SourceFiles.packageOf(source);
      Rule rule = RULES.get(from);
      for (String to : packagesIn(SourceFiles.code(source))) {
        if (!to.equals(from) && !rule.everything && !rule.packages.contains(to)) {
          forbidden.add(source.getFileName() + ": " + from + " -> " + to);
        }
      }
    }
    assertThat(forbidden).as("references that %s does not permit", TABLE).isEmpty();
  }

  private static Set<String> packagesIn(String code) {
    return OWN.matcher(code)
        .results()
        .map(match -> match.group(1) == null ? "root" : match.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void references_toLibraries_arePermitted() throws IOException {
    Set<String> known = new TreeSet<>();
    RULES.values().forEach(rule -> known.addAll(rule.libraries));
    List<String> forbidden = new ArrayList<>();
    for (Path source : SourceFiles.main()) {
      String from = SourceFiles.packageOf(source);
      String code = SourceFiles.code(source);
      for (String library : known) {
        if (!RULES.get(from).libraries.contains(library) && code.contains(library + ".")) {
          forbidden.add(source.getFileName() + ": " + from + " -> " + library);
        }
      }
      IMPORT
          .matcher(code)
          .results()
          .map((MatchResult match) -> match.group(1))
          .filter(name -> !JDK_OR_OWN.matcher(name).matches())
          .filter(name -> known.stream().noneMatch(library -> name.startsWith(library + ".")))
          .forEach(name -> forbidden.add(source.getFileName() + ": unknown library " + name));
    }
    assertThat(forbidden).as("libraries that %s does not permit", TABLE).isEmpty();
  }

  @Test
  void table_hasNoCycle_andNobodyImportsTheCommandLine() {
    Set<String> done = new TreeSet<>();
    boolean progress = true;
    while (progress) {
      progress = false;
      for (Map.Entry<String, Rule> row : RULES.entrySet()) {
        Rule rule = row.getValue();
        if (!rule.everything && done.containsAll(rule.packages)) {
          progress |= done.add(row.getKey());
        }
      }
    }
    assertThat(done)
        .as("packages that rest on nothing but packages below them")
        .containsExactlyInAnyOrderElementsOf(
            RULES.keySet().stream().filter(name -> !name.equals(CLI)).toList());
    assertThat(RULES.get(CLI).everything).isTrue();
  }

  @Test
  void publicSignatures_nameNoTypeOfAHiddenPackage() throws IOException, ClassNotFoundException {
    List<String> leaks = new ArrayList<>();
    for (Path source : SourceFiles.main()) {
      String from = SourceFiles.packageOf(source);
      String name = source.getFileName().toString().replace(".java", "");
      // SparkClassesTest looks at those that need Spark to be loaded.
      if (!from.startsWith(HIDDEN) && !from.equals("spark") && !name.equals("package-info")) {
        String prefix = from.equals("root") ? BASE : BASE + from + ".";
        Class<?> type = Class.forName(prefix + name, false, getClass().getClassLoader());
        leaks.addAll(PublicSignatures.naming(type, NOT_FOR_USERS.asPredicate()));
      }
    }
    assertThat(leaks).as("public signatures with types of hidden packages").isEmpty();
  }
}
