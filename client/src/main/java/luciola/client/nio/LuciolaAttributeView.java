package luciola.client.nio;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.ProviderMismatchException;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.util.Optional;
import java.util.Set;
import luciola.client.AttributeChange;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * Reads and changes the attributes of one path.
 *
 * @param follow of what a symbolic link leads to, not of itself
 * @param name of the view
 */
record LuciolaAttributeView(LuciolaPath path, boolean follow, String name)
    implements PosixFileAttributeView {

  @Override
  public LuciolaAttributes readAttributes() throws IOException {
    LuciolaFileSystem files = path.files().files();
    String plain = path.plain();
    try {
      return new LuciolaAttributes(
          follow ? files.stat(plain) : files.lstat(plain), path.files().authority());
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.NOT_A_DIRECTORY) {
        throw new NoSuchFileException(plain); // As the platform has it: what is below no directory.
      }
      throw IoErrors.of(plain, e);
    }
  }

  /** Sets two times; none of creation is kept, so that one is passed over. */
  @Override
  public void setTimes(
      @Nullable FileTime modified, @Nullable FileTime accessed, @Nullable FileTime created)
      throws IOException {
    if (modified == null && accessed == null) {
      return;
    }
    change(
        new AttributeChange(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.ofNullable(accessed).map(LuciolaAttributes::nanos),
            Optional.ofNullable(modified).map(LuciolaAttributes::nanos)));
  }

  @Override
  public void setPermissions(Set<PosixFilePermission> permissions) throws IOException {
    change(AttributeChange.ofMode(LuciolaAttributes.mode(permissions)));
  }

  @Override
  public UserPrincipal getOwner() throws IOException {
    return readAttributes().owner();
  }

  @Override
  public void setOwner(UserPrincipal owner) throws IOException {
    setUid(id(owner));
  }

  @Override
  public void setGroup(GroupPrincipal group) throws IOException {
    setGid(id(group));
  }

  private static int id(UserPrincipal principal) {
    if (principal instanceof LuciolaAttributes.Principal own) {
      return own.id();
    }
    throw new ProviderMismatchException("not a user or group of luciola: " + principal);
  }

  private void setUid(int uid) throws IOException {
    change(
        new AttributeChange(
            Optional.empty(),
            Optional.of(uid),
            Optional.empty(),
            Optional.empty(),
            Optional.empty()));
  }

  private void setGid(int gid) throws IOException {
    change(
        new AttributeChange(
            Optional.empty(),
            Optional.empty(),
            Optional.of(gid),
            Optional.empty(),
            Optional.empty()));
  }

  @SuppressWarnings("unchecked")
  void set(String attribute, Object value) throws IOException {
    switch (attribute) {
      case "lastModifiedTime" -> setTimes((FileTime) value, null, null);
      case "lastAccessTime" -> setTimes(null, (FileTime) value, null);
      case "creationTime" -> setTimes(null, null, (FileTime) value);
      case "permissions" -> setPermissions((Set<PosixFilePermission>) value);
      case "owner" -> setOwner((UserPrincipal) value);
      case "group" -> setGroup((GroupPrincipal) value);
      case "mode" -> change(AttributeChange.ofMode((Integer) value & 07777));
      case "uid" -> setUid((Integer) value);
      case "gid" -> setGid((Integer) value);
      default -> throw new IllegalArgumentException("attribute cannot be set: " + attribute);
    }
  }

  private void change(AttributeChange change) throws IOException {
    LuciolaFileSystem files = path.files().files();
    String plain = path.plain();
    IoErrors.translate(
        plain,
        () -> {
          var _ = follow ? files.setAttributes(plain, change) : files.lsetAttributes(plain, change);
        });
  }
}
