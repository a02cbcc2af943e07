package dev.sund.it.house;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ARCHITECTURE.md's rules on who may use whom, checked on the compiled classes. */
class ArrowsTest {
  /** Which of Sund's modules a module may use, directly or through others. */
  private static final Map<String, List<String>> MAY_USE =
      Map.of(
          "model", List.of(),
          "kernel", List.of("model"),
          "engine", List.of("model"),
          "dataplane", List.of("model", "kernel", "engine"),
          "kube", List.of("model", "engine"),
          "doctor", List.of("model", "kernel", "engine", "dataplane", "kube"),
          "agent", List.of("model", "kernel", "engine", "dataplane", "kube", "doctor"),
          "lab", List.of("model", "kernel", "engine", "dataplane", "kube", "doctor", "agent"),
          "cli",
              List.of("model", "kernel", "engine", "dataplane", "kube", "doctor", "agent", "lab"));

  private static JavaClasses classes;

  @BeforeAll
  static void readTheClasses() {
    classes = new ClassFileImporter().importPaths(Sources.mainClassFolders());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"model", "kernel", "engine", "dataplane", "kube", "doctor", "agent", "lab", "cli"})
  void arrowsPointDownOnly(String module) {
    String[] allowed =
        Stream.concat(Stream.of(module), MAY_USE.getOrDefault(module, List.of()).stream())
            .map(name -> "dev.sund." + name + "..")
            .toArray(String[]::new);
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.sund." + module + "..")
            .should()
            .dependOnClassesThat(
                resideInAnyPackage("dev.sund..").and(not(resideInAnyPackage(allowed))))
            .as(module + " uses only " + MAY_USE.get(module)));
  }

  @Test
  void nativeCallsAreOnlyInKernel() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage("dev.sund.kernel..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("java.lang.foreign.."));
    check(
        noClasses()
            .should()
            .callMethod(System.class, "load", String.class)
            .orShould()
            .callMethod(System.class, "loadLibrary", String.class));
    check(
        com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods()
            .should()
            .notHaveModifier(JavaModifier.NATIVE));
  }

  @Test
  void virtualThreadsAreMadeOnlyByTheAgent() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage("dev.sund.agent..")
            .should()
            .callMethod(Thread.class, "ofVirtual")
            .orShould()
            .callMethod(Thread.class, "startVirtualThread", Runnable.class)
            .orShould()
            .callMethod(Executors.class, "newVirtualThreadPerTaskExecutor"));
  }

  @Test
  void engineAndModelTouchNothingOutside() {
    ArchRule rule =
        noClasses()
            .that()
            .resideInAnyPackage("dev.sund.engine..", "dev.sund.model..")
            .should()
            .dependOnClassesThat(
                resideInAnyPackage(
                        "java.io..",
                        "java.net..",
                        "java.nio.file..",
                        "java.nio.channels..",
                        "java.util.concurrent", // its subpackage of locks starts no thread
                        "java.util.logging..")
                    .and(not(named("java.io.Serializable")))
                    .and(not(named("java.util.concurrent.TimeUnit"))))
            .as("engine and model do no input, no output and start no thread");
    check(rule);
    check(
        noClasses()
            .that()
            .resideInAnyPackage("dev.sund.engine..", "dev.sund.model..")
            .should()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "getenv", String.class)
            .orShould()
            .callMethod(System.class, "getProperty", String.class)
            .orShould()
            .callMethod(Math.class, "random")
            .as("engine and model know no time, no environment and no chance"));
  }

  @Test
  void predictionsAreNotMadeFromMeasurements() {
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.sund.lab.predict..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                "dev.sund.lab.measure..",
                "dev.sund.lab.probe..",
                "dev.sund.kernel..",
                "java.net..",
                "java.nio.channels..")
            .as("the lab predicts from programs and the underlay alone"));
  }

  @Test
  void policiesAreJudgedTwiceByCodeThatSharesNothing() {
    noClasses()
        .that()
        .resideInAPackage("dev.sund.it.policy.oracle..")
        .should()
        .dependOnClassesThat(
            resideInAnyPackage("dev.sund..")
                .and(not(resideInAnyPackage("dev.sund.it.policy.oracle.."))))
        .as("the oracle of policies uses nothing of what it judges")
        .check(new ClassFileImporter().importPackages("dev.sund.it.policy.oracle"));
  }

  @Test
  void onlyTheLauncherOfProgramsUsesThem() {
    check(
        noClasses()
            .that()
            .resideInAnyPackage(
                "dev.sund.model..",
                "dev.sund.kernel..",
                "dev.sund.engine..",
                "dev.sund.dataplane..",
                "dev.sund.kube..",
                "dev.sund.agent..")
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.lang.ProcessBuilder")
            .as("the agent and all below it start no process"));
  }

  @Test
  void namesSayARoleAndNotThatThereIsNone() {
    check(
        classes()
            .that()
            .resideInAPackage("dev.sund..")
            .should()
            .haveSimpleNameNotEndingWith("Manager")
            .andShould()
            .haveSimpleNameNotEndingWith("Helper")
            .andShould()
            .haveSimpleNameNotEndingWith("Util")
            .andShould()
            .haveSimpleNameNotEndingWith("Utils")
            .andShould()
            .haveSimpleNameNotEndingWith("Impl")
            .andShould()
            .haveNameNotMatching(".*[.$]Base[A-Z]\\w*"));
  }

  private static com.tngtech.archunit.base.DescribedPredicate<JavaClass> named(String name) {
    return com.tngtech.archunit.base.DescribedPredicate.describe(
        name, type -> type.getName().equals(name));
  }

  private static void check(ArchRule rule) {
    rule.allowEmptyShould(true).check(classes);
  }
}
