package dev.sund.engine.policy;

import dev.sund.model.LabelSelector;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * SHA-256 over parts of which each says where it ends, so that no two contents are written alike.
 * Used once.
 */
final class Digest {
  private final MessageDigest sha;
  private final ByteBuffer number = ByteBuffer.allocate(Long.BYTES);

  Digest() {
    try {
      sha = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /** What a digest came to: 32 bytes, ordered as unsigned numbers. */
  record Value(byte[] bytes) implements Comparable<Value> {
    /** Eight bytes at a word's place, 0 to 3. */
    long word(int index) {
      return ByteBuffer.wrap(bytes).getLong(index * Long.BYTES);
    }

    @Override
    public int compareTo(Value other) {
      return Arrays.compareUnsigned(bytes, other.bytes);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Value(byte[] others) && Arrays.equals(bytes, others);
    }

    @Override
    public int hashCode() {
      return (int) word(0);
    }
  }

  Digest number(long value) {
    sha.update(number.clear().putLong(value).array());
    return this;
  }

  Digest text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    number(bytes.length);
    sha.update(bytes);
    return this;
  }

  Digest selector(LabelSelector selector) {
    number(selector.requirements().size());
    for (LabelSelector.Requirement requirement : selector.requirements()) {
      text(requirement.key()).text(requirement.operator().text());
      number(requirement.values().size());
      requirement.values().forEach(this::text);
    }
    return this;
  }

  Digest value(Value value) {
    sha.update(value.bytes());
    return this;
  }

  Value done() {
    return new Value(sha.digest());
  }
}
