package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import dev.sund.agent.services.ServiceFields;
import dev.sund.agent.services.ServiceFields.Count;
import dev.sund.agent.services.ServiceFields.Target;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.manifest.ManifestObject;
import dev.sund.kube.manifest.Manifests;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Protocol;
import dev.sund.model.ServiceKey;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What {@code sund service} prints of a Service of each kind, whole, as people and programs read
 * it: from manifests by way of the compiler. Written anew with {@code -Dsund.golden=write}.
 */
class ServiceTextTest {
  private static final Path FOLDER =
      Path.of(System.getProperty("sund.root"), "cli/src/test/resources/dev/sund/cli/services");

  /** What the kernel has of connections. */
  private static final Map<Target, Count> COUNTS =
      Map.of(
          new Target(Protocol.TCP, Ip.parse("10.244.1.5"), 9000), new Count(12, true, 480, 455),
          new Target(Protocol.UDP, Ip.parse("10.244.2.5"), 5353), new Count(1, true, 1, 1));

  private final ProgramCompiler compiler =
      new ProgramCompiler(new NodeName("n1"), FabricSettings.DEFAULT);

  @BeforeEach
  void tell() throws IOException {
    Manifests read =
        ManifestFiles.parse("services.yaml", Files.readString(FOLDER.resolve("services.yaml")));
    assertThat(read.findings()).isEmpty();
    List<ClusterEvent> events = new ArrayList<>();
    for (ManifestObject object : read.objects()) {
      events.add(object.event().orElseThrow());
    }
    events.add(new ClusterEvent.Synced());
    compiler.apply(events);
  }

  private List<Map<String, Object>> all(boolean show) throws Exception {
    List<Map<String, Object>> all = new ArrayList<>();
    for (ServiceKey key : new TreeSet<>(compiler.services())) {
      var summary = compiler.service(key).orElseThrow();
      Map<String, Object> fields =
          show
              ? ServiceFields.show(
                  summary, key.name().equals("web") ? Optional.empty() : Optional.of(COUNTS))
              : ServiceFields.line(summary);
      // As they come from the agent.
      all.add(Json.object(Json.write(fields).getBytes(StandardCharsets.UTF_8)));
    }
    return all;
  }

  @Test
  void listIsALineForEach() throws Exception {
    StringWriter text = new StringWriter();
    ServiceText.list(new PrintWriter(text), all(false));
    assertGolden("list.txt", text.toString());
  }

  @Test
  void showIsAllThatIsKnownOfOne() throws Exception {
    StringWriter text = new StringWriter();
    PrintWriter out = new PrintWriter(text);
    for (Map<String, Object> one : all(true)) {
      ServiceText.show(out, one);
      out.println();
    }
    assertGolden("show.txt", text.toString());
  }

  @Test
  void programsReadTheSame() throws Exception {
    StringBuilder text = new StringBuilder();
    for (boolean show : List.of(false, true)) {
      for (Map<String, Object> one : all(show)) {
        text.append(Json.write(one)).append('\n');
      }
    }
    assertGolden("services.json", text.toString());
  }

  private static void assertGolden(String file, String text) throws IOException {
    Path golden = FOLDER.resolve(file);
    if ("write".equals(System.getProperty("sund.golden"))) {
      Files.writeString(golden, text);
    }
    assertThat(text).isEqualTo(Files.readString(golden));
  }
}
