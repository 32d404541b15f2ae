package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.support.SourceFiles;
import java.nio.file.Files;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * docs/dependencies.md gives the reason for every dependency and plugin of pom.xml, and no other.
 */
class DocumentedDependenciesTest {

  private static final Pattern ROW = Pattern.compile("^\\| (`[^|]+) \\|", Pattern.MULTILINE);
  private static final Pattern NAME = Pattern.compile("`(?:[\\w.-]+:)?([\\w.-]+)`");

  /** A bill of materials brings versions, not code. */
  private static final Set<String> NOT_CODE = Set.of("junit-bom");

  @Test
  void dependenciesAndPlugins_areThoseOfThePom() throws Exception {
    String text = Files.readString(SourceFiles.PROJECT.resolve("docs/dependencies.md"));
    Set<String> documented =
        ROW.matcher(text)
            .results()
            .flatMap(row -> NAME.matcher(row.group(1)).results())
            .map(name -> name.group(1))
            .collect(Collectors.toCollection(TreeSet::new));

    assertThat(documented).isEqualTo(used());
  }

  private static Set<String> used() throws Exception {
    var pom =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(SourceFiles.PROJECT.resolve("pom.xml").toFile());
    Set<String> used = new TreeSet<>();
    for (String kind : new String[] {"dependency", "plugin", "artifactItem"}) {
      NodeList elements = pom.getElementsByTagName(kind);
      for (int i = 0; i < elements.getLength(); i++) {
        Element element = (Element) elements.item(i);
        used.add(element.getElementsByTagName("artifactId").item(0).getTextContent());
      }
    }
    used.removeAll(NOT_CODE);
    return used;
  }
}
