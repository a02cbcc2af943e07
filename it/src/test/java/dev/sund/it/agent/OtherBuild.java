package dev.sund.it.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * A second build of the agent from this checkout's sources that differs in one class: what an
 * earlier or a later release is to this one. Only that class is compiled anew, so what differs must
 * be its own: constants of other classes would be in these already.
 */
public final class OtherBuild {
  private static final String MARK =
      "dataplane/src/main/java/dev/sund/dataplane/nft/FrontendMark.java";
  private static final String CHAINS = "return \"lb-\"";

  private OtherBuild() {}

  /**
   * Builds an agent whose nf_tables table has other chains for Services: {@code choose-...}.
   *
   * @param folder where sources and classes go
   * @return the classes, to stand before all others
   */
  public static Path ofAnotherLayout(Path folder) throws IOException {
    return build(
        MARK,
        source -> {
          if (!source.contains(CHAINS)) {
            throw new IllegalStateException(MARK + " has no " + CHAINS);
          }
          return source.replace(CHAINS, "return \"choose-\"");
        },
        folder);
  }

  /**
   * Builds it.
   *
   * @param source the class, from the checkout's root
   * @param change what its text becomes
   * @param folder where sources and classes go
   * @return the classes, to stand before all others
   */
  static Path build(String source, UnaryOperator<String> change, Path folder) throws IOException {
    Path classes = Files.createDirectories(folder.resolve("classes"));
    Path from = AgentScene.root().resolve(source);
    Path copy = folder.resolve(from.getFileName().toString());
    Files.writeString(copy, change.apply(Files.readString(from)));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
      String classPath = System.getProperty("java.class.path");
      List<String> options =
          List.of("-proc:none", "-nowarn", "-d", classes.toString(), "-cp", classPath);
      if (!compiler
          .getTask(null, manager, null, options, null, manager.getJavaFileObjects(copy))
          .call()) {
        throw new IllegalStateException("another build of " + source + " does not compile");
      }
    }
    return classes;
  }
}
