package dev.sund.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.conntrack.ConntrackTarget;
import dev.sund.kernel.nft.NftRuleTarget;
import dev.sund.kernel.nft.NftTarget;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** Each target over its recorded inputs, whole, cut short and damaged. */
@Tag("fuzz")
class RecordedInputsTest {
  private static final long SEED = Long.getLong("sund.seed", 20260103);
  private static final int DAMAGED = Boolean.getBoolean("sund.long") ? 20_000 : 200;

  private interface Target {
    void read(byte[] data) throws KernelException;
  }

  @TestFactory
  Stream<DynamicTest> netlink() throws Exception {
    return over("netlink", NetlinkTarget::fuzzerTestOneInput);
  }

  @TestFactory
  Stream<DynamicTest> route() throws Exception {
    return over("route", RouteTarget::fuzzerTestOneInput);
  }

  @TestFactory
  Stream<DynamicTest> nft() throws Exception {
    return over("nft", NftTarget::fuzzerTestOneInput);
  }

  @TestFactory
  Stream<DynamicTest> nftRule() throws Exception {
    return over("nft-rule", NftRuleTarget::fuzzerTestOneInput);
  }

  @TestFactory
  Stream<DynamicTest> conntrack() throws Exception {
    return over("conntrack", ConntrackTarget::fuzzerTestOneInput);
  }

  @TestFactory
  Stream<DynamicTest> manifest() throws Exception {
    return over("manifest", ManifestTarget::fuzzerTestOneInput);
  }

  @TestFactory
  Stream<DynamicTest> policy() throws Exception {
    return over("policy", PolicyTarget::fuzzerTestOneInput);
  }

  private static Stream<DynamicTest> over(String name, Target target)
      throws IOException, URISyntaxException {
    Path folder = Path.of(RecordedInputsTest.class.getResource("/inputs/" + name).toURI());
    List<Path> inputs = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      files.sorted().forEach(inputs::add);
    }
    assertThat(inputs).as("recorded inputs of %s", name).isNotEmpty();
    return inputs.stream()
        .map(input ->
            DynamicTest.dynamicTest(
                name + "/" + input.getFileName(), () -> run(Files.readAllBytes(input), target)));
  }

  private static void run(byte[] input, Target target) {
    read(input, target);
    for (int length = 0; length < input.length; length += 1 + input.length / 200) {
      read(Arrays.copyOf(input, length), target);
    }
    Random random = new Random(SEED);
    for (int i = 0; i < DAMAGED; i++) {
      byte[] damaged = input.clone();
      for (int n = random.nextInt(6); n >= 0; n--) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      }
      read(damaged, target);
    }
  }

  private static void read(byte[] data, Target target) {
    try {
      target.read(data);
    } catch (KernelException | RuntimeException | AssertionError e) {
      throw new AssertionError("seed " + SEED + ": " + HexFormat.of().formatHex(data), e);
    }
  }
}
