package dev.sund.agent.cni;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.agent.local.Json;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What runtimes hand over, as each of them writes it. */
class RuntimeConfigTest {
  @Test
  void containerdAndPodmanWriteTheSameKeysInOtherCase() throws Exception {
    RuntimeConfig podman =
        RuntimeConfig.parse(
            json(
                """
                {"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp",
                                   "hostIP": "192.0.2.1"}],
                 "bandwidth": {"ingressRate": 8, "ingressBurst": 16,
                               "egressRate": 24, "egressBurst": 32}}
                """));
    RuntimeConfig containerd =
        RuntimeConfig.parse(
            json(
                """
                {"portMappings": [{"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp",
                                   "HostIP": "192.0.2.1"}],
                 "bandwidth": {"IngressRate": 8, "IngressBurst": 16,
                               "EgressRate": 24, "EgressBurst": 32}}
                """));
    assertThat(containerd.portMappings()).isEqualTo(podman.portMappings());
    assertThat(containerd.portMappings()).hasToString("[192.0.2.1:8080:80/tcp]");
    assertThat(containerd.bandwidth()).contains(new Bandwidth(8, 16, 24, 32));
  }

  @Test
  void whatIsWrongIsNamedButNeverKeepsAContainerFromGoing() throws Exception { // C2
    Map<String, Object> wrong = json("{\"portMappings\": [{\"containerPort\": 80}]}");
    assertThatThrownBy(() -> RuntimeConfig.parse(wrong))
        .hasMessage("runtimeConfig.portMappings[0]: field hostPort is missing.");
    assertThat(RuntimeConfig.parseLeniently(wrong).portMappings()).isEmpty();
  }

  private static Map<String, Object> json(String text) throws Json.MalformedException {
    return Json.object(text.getBytes(UTF_8));
  }
}
