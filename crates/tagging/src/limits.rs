//! AWS's quotas on requests, and the sizes of pages.

/// Tag filters of a request: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>
pub(crate) const TAG_FILTERS_MAX: usize = 50;
/// Values of a tag filter: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagFilter.html>
pub(crate) const FILTER_VALUES_MAX: usize = 20;
/// Resource types of a request: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>
pub(crate) const RESOURCE_TYPES_MAX: usize = 100;
/// Characters of a resource type: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>
pub(crate) const RESOURCE_TYPE_CHARS_MAX: usize = 256;
/// Resources that GetResources names: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>
pub(crate) const GET_ARNS_MAX: usize = 100;
/// Resources tagged at once: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html>
pub(crate) const TAG_ARNS_MAX: usize = 20;
/// Characters of an ARN: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html>
pub(crate) const ARN_CHARS_MAX: usize = 1_011;
/// Tags of a request: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html>
pub(crate) const TAGS_MAX: usize = 50;
/// Characters of a tag's key: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagFilter.html>
pub(crate) const KEY_CHARS_MAX: usize = 128;
/// Characters of a tag's value: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagFilter.html>
pub(crate) const VALUE_CHARS_MAX: usize = 256;
/// Characters of a page's token: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>
pub(crate) const TOKEN_CHARS_MAX: usize = 2_048;
/// Resources of a page at most: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>
pub(crate) const RESOURCES_PER_PAGE_MAX: usize = 100;
/// Resources of a page unless asked otherwise: what AWS answers, which its page does not say.
pub(crate) const RESOURCES_PER_PAGE: usize = 50;
/// Tags of a page, in hundreds from 100 on: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>
pub(crate) const TAGS_PER_PAGE_MAX: usize = 500;
/// Keys or values of a page: AWS's pages do not say how many, and this many fit an answer of some kilobytes.
pub(crate) const NAMES_PER_PAGE: usize = 100;
