package luciola.client.nio;

import java.io.IOException;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.util.Optional;
import java.util.Set;
import luciola.client.AttributeChange;
import luciola.client.LuciolaFileSystem;
import org.jspecify.annotations.Nullable;

/** Reads and changes the attributes of one path. */
record LuciolaAttributeView(LuciolaFileSystem files, String path, boolean follow, String name)
    implements PosixFileAttributeView {

  @Override
  public LuciolaAttributes readAttributes() throws IOException {
    return new LuciolaAttributes(
        IoErrors.translated(path, () -> follow ? files.stat(path) : files.lstat(path)));
  }

  @Override
  public void setTimes(
      @Nullable FileTime modified, @Nullable FileTime accessed, @Nullable FileTime created)
      throws IOException {
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
    change(
        new AttributeChange(
            Optional.empty(),
            Optional.of(Integer.parseInt(owner.getName())),
            Optional.empty(),
            Optional.empty(),
            Optional.empty()));
  }

  @Override
  public void setGroup(GroupPrincipal group) throws IOException {
    change(
        new AttributeChange(
            Optional.empty(),
            Optional.empty(),
            Optional.of(Integer.parseInt(group.getName())),
            Optional.empty(),
            Optional.empty()));
  }

  @SuppressWarnings("unchecked")
  void set(String attribute, Object value) throws IOException {
    switch (attribute) {
      case "lastModifiedTime" -> setTimes((FileTime) value, null, null);
      case "lastAccessTime" -> setTimes(null, (FileTime) value, null);
      case "permissions" -> setPermissions((Set<PosixFilePermission>) value);
      case "owner" -> setOwner((UserPrincipal) value);
      case "group" -> setGroup((GroupPrincipal) value);
      default -> throw new UnsupportedOperationException("attribute cannot be set: " + attribute);
    }
  }

  private void change(AttributeChange change) throws IOException {
    IoErrors.translate(path, () -> files.setAttributes(path, change));
  }
}
