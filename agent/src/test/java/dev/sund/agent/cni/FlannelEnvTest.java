package dev.sund.agent.cni;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.log.LogLevel;
import dev.sund.agent.log.LogSink;
import dev.sund.engine.FlannelSubnet;
import dev.sund.model.Family;
import dev.sund.model.Prefix;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlannelEnvTest {
  private static final FlannelSubnet DUAL =
      new FlannelSubnet(
          new TreeMap<>(
              Map.of(
                  Family.V4, Prefix.parse("10.244.0.0/16"),
                  Family.V6, Prefix.parse("fd00:10:244::/48"))),
          new TreeMap<>(
              Map.of(
                  Family.V4, Prefix.parse("10.244.3.0/24"),
                  Family.V6, Prefix.parse("fd00:10:244:3::/64"))),
          1430);

  @TempDir Path folder;

  @Test
  void holdsWhatFlannelWouldWrite() throws Exception {
    Path file = folder.resolve("flannel/subnet.env");
    new FlannelEnv(file).write(DUAL, LogSink.toStandardError("test", LogLevel.INFO).log("t"));
    assertThat(Files.readString(file))
        .isEqualTo(
            """
            # made by sund
            FLANNEL_NETWORK=10.244.0.0/16
            FLANNEL_SUBNET=10.244.3.1/24
            FLANNEL_IPV6_NETWORK=fd00:10:244::/48
            FLANNEL_IPV6_SUBNET=fd00:10:244:3::1/64
            FLANNEL_MTU=1430
            FLANNEL_IPMASQ=true
            """);
    assertThat(FlannelEnv.remove(file, true)).hasSize(1);
    assertThat(file).exists();
    assertThat(FlannelEnv.remove(file, false)).containsExactly("remove flannel's file " + file);
    assertThat(file).doesNotExist();
    assertThat(FlannelEnv.remove(file, false)).isEmpty();
  }

  @Test
  void flannelsOwnFileIsNotRemoved() throws Exception {
    Path file = folder.resolve("subnet.env");
    Files.writeString(file, "FLANNEL_NETWORK=10.244.0.0/16\n");
    assertThat(FlannelEnv.remove(file, false)).isEmpty();
    assertThat(file).exists();
  }
}
