package dev.sund.kube.object;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kube.tree.MalformedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What is said about each policy of {@code policies/}, word for word, and what stays in force of
 * it: never more is allowed than a correct reading allows (N28). Run with {@code
 * -Dsund.golden=write} to write the words anew, and read the difference.
 */
class BadPoliciesTest {
  private static final Path FOLDER =
      Path.of(
          System.getProperty("sund.root"), "kube/src/test/resources/dev/sund/kube/object/policies");

  @TestFactory
  List<DynamicTest> eachBadPolicyIsExplainedAndFailsClosed() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files
          .filter(file -> file.toString().endsWith(".yaml"))
          .sorted()
          .map(
              file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> explained(file)))
          .toList();
    }
  }

  private static void explained(Path file) throws IOException, MalformedException {
    StringBuilder said = new StringBuilder();
    for (Parsed<dev.sund.engine.cluster.Policy> parsed :
        PolicyTexts.parse(Files.readString(file))) {
      parsed.problems().forEach(problem -> said.append(problem.condition()).append('\n'));
      said.append(parsed.value().map(PolicyTexts::said).orElse("not used\n")).append('\n');
    }
    Path golden = Path.of(file.toString().replace(".yaml", ".txt"));
    if (System.getProperty("sund.golden", "").equals("write")) {
      Files.writeString(golden, said);
    }
    assertThat(said).hasToString(Files.readString(golden));
  }
}
